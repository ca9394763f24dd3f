"""A recording into Gram matrices of its trials, for one spike-train kernel or a sweep of them."""

from collections.abc import Iterable, Sequence

import xarray as xr

from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.blocks.execution import Execution, assembled
from snncompare.representation.distances import aligned_trains
from snncompare.representation.kernels import Kernel
from snncompare.representation.metrics import Metric

__all__ = ["gram"]


def gram(
    recording: Recording, kernel: Kernel | Sequence[Kernel], *, execution: Execution | None = None
) -> xr.DataArray:
    """Return the inner product of every two trials of a recording, each trial with itself included.

    Spike times count from the reference of their own trial, so all trials must have the same window.

    Parameters
    ----------
    recording : Recording
    kernel : Kernel or sequence of Kernel
        For example ``Laplacian(tau="10 ms")``, or ``Laplacian.sweep(["1 ms", "10 ms"])``.
    execution : Execution, optional
        How the work is cut into blocks and who does it; the inner products do not depend on it.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(trial, trial_)`` for one kernel, ``(kernel, trial, trial_)`` for a sequence; symmetric, positive
        semidefinite up to rounding. Coordinates: the names of the trials; ``label``, ``time_scale`` (seconds) and
        ``additive`` of each kernel.

    Raises
    ------
    InputError
        If the windows of the trials differ, or a kernel is given twice or is none.
    """
    kernels = _several(kernel)
    values = assembled(kernels, "gram_block", aligned_trains(recording), execution)
    names = recording.trials.index.to_numpy()
    result = xr.DataArray(
        values,
        dims=("kernel", "trial", "trial_"),
        coords={
            "kernel": [repr(value) for value in kernels],
            "label": ("kernel", [value.label for value in kernels]),
            "time_scale": ("kernel", [value.time_scale for value in kernels], {"units": "s"}),
            "additive": ("kernel", [value.additive for value in kernels]),
            "trial": names,
            "trial_": names,
        },
        name="inner product",
    )
    return result.isel(kernel=0) if isinstance(kernel, Kernel) else result


def _several(kernel: Kernel | Sequence[Kernel]) -> list[Kernel]:
    several = list(kernel) if isinstance(kernel, Iterable) else [kernel]
    for value in several:
        if isinstance(value, Metric):
            raise InputError(
                f"gram takes a kernel such as Laplacian(tau='10 ms'), got the metric {value!r}. "
                "The kernel of VanRossum is Laplacian, of SpikeCount it is Count; see also Exponential(metric, scale)."
            )
        if not isinstance(value, Kernel):
            raise InputError(f"expected a kernel such as Laplacian(tau='10 ms'), got {value!r}.")
    if not several:
        raise InputError("no kernel given; give for example Laplacian(tau='10 ms').")
    twice = next((value for k, value in enumerate(several) if value in several[:k]), None)
    if twice is not None:
        raise InputError(f"the kernel {twice!r} is given twice; give each once.")
    return several
