"""Classes of ganglion cells: parasol and midget, ON and OFF, with what was measured in macaques."""

from dataclasses import dataclass

from snncompare.encoding.parameters import check_not_negative, check_positive
from snncompare.encoding.visual.receptive_field import ReceptiveField
from snncompare.encoding.visual.temporal_filter import ContrastGainControl, TemporalFilter
from snncompare.errors import InputError, unknown

__all__ = ["MIDGET_OFF", "MIDGET_ON", "PARASOL_OFF", "PARASOL_ON", "GanglionCells"]

_SIGNS = {"ON": 1.0, "OFF": -1.0}


@dataclass(frozen=True, kw_only=True)
class GanglionCells:
    r"""A class of ganglion cells: receptive field, temporal filter, and firing rate.

    .. math::

        \lambda(t) = \max(0, \lambda_0 \pm A\, y(t))

    with :math:`y` the contrast in the receptive field after the temporal filter, + for ON and - for OFF cells.

    Parameters
    ----------
    name : str
        Of the class, such as "parasol".
    polarity : str
        "ON" or "OFF".
    receptive_field : ReceptiveField
    temporal_filter : TemporalFilter
    gain : float
        :math:`A`, spikes per second for a contrast of 1.
    baseline : float
        :math:`\lambda_0`, spikes per second in steady light.
    """

    name: str
    polarity: str
    receptive_field: ReceptiveField
    temporal_filter: TemporalFilter
    gain: float
    baseline: float

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InputError(f"a class of ganglion cells needs a name, got {self.name!r}.")
        if self.polarity not in _SIGNS:
            raise InputError(unknown("polarity", self.polarity, _SIGNS))
        for part, kind in (("receptive_field", ReceptiveField), ("temporal_filter", TemporalFilter)):
            if not isinstance(getattr(self, part), kind):
                raise InputError(f"{part} must be a {kind.__name__}, got {getattr(self, part)!r}.")
        check_positive(self, "gain")
        check_not_negative(self, "baseline")

    @property
    def sign(self) -> float:
        """1 for ON, -1 for OFF."""
        return _SIGNS[self.polarity]


_PARASOL = ReceptiveField(radius_at_fovea=0.0725, radius_per_degree=0.0065, surround_ratio=4.8)
_MIDGET = ReceptiveField(radius_at_fovea=0.0209, radius_per_degree=0.0033, surround_ratio=6.7)

PARASOL_ON = GanglionCells(
    name="parasol",
    polarity="ON",
    receptive_field=_PARASOL,
    temporal_filter=TemporalFilter(
        delay="2 ms",
        low_pass_delay="40.33 ms",
        low_pass_stages=30.0,
        high_pass_strength=1.0,
        high_pass_time="37.34 ms",
        gain_control=ContrastGainControl(half_contrast=0.051),
    ),
    gain=499.77,
    baseline=37.37,
)
"""Medians of 10 cells, Benardete & Kaplan (1999) Vis Neurosci 16:355-368, Table 1; fields of Croner & Kaplan (1995)."""

PARASOL_OFF = GanglionCells(
    name="parasol",
    polarity="OFF",
    receptive_field=_PARASOL,
    temporal_filter=TemporalFilter(
        delay="2.4 ms",
        low_pass_delay="43.39 ms",
        low_pass_stages=22.0,
        high_pass_strength=0.97,
        high_pass_time="57.62 ms",
        gain_control=ContrastGainControl(half_contrast=0.039),
    ),
    gain=517.4,
    baseline=29.85,
)
"""Medians of 10 cells, Benardete & Kaplan (1999), Table 1; fields of Croner & Kaplan (1995)."""

MIDGET_ON = GanglionCells(
    name="midget",
    polarity="ON",
    receptive_field=_MIDGET,
    temporal_filter=TemporalFilter(
        delay="3.5 ms",
        low_pass_delay="48.15 ms",
        low_pass_stages=38.0,
        high_pass_strength=0.69,
        high_pass_time="29.36 ms",
    ),
    gain=67.59,
    baseline=36.15,
)
"""Medians of 13 cells (centres), Benardete & Kaplan (1997) Vis Neurosci 14:169-185; fields of Croner & Kaplan."""

MIDGET_OFF = GanglionCells(
    name="midget",
    polarity="OFF",
    receptive_field=_MIDGET,
    temporal_filter=TemporalFilter(
        delay="3.5 ms",
        low_pass_delay="50.38 ms",
        low_pass_stages=27.0,
        high_pass_strength=0.75,
        high_pass_time="35.68 ms",
    ),
    gain=52.95,
    baseline=24.68,
)
"""Medians of 11 cells (centres), Benardete & Kaplan (1997); fields of Croner & Kaplan (1995)."""
