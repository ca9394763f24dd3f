"""BrainScaleS-2 by hxtorch, the library of its makers, on their cluster or on EBRAINS.

What was checked and what was not. The calls below are those of the makers' published examples, tests and tutorial
(``electronicvisions/hxtorch``: ``examples/spiking/yinyang_model.py``, ``tests/hw``; ``brainscales2-demos``:
``ts_12-hxtorch_snn_intro.rst``, ``_static/common/helpers.py``); neither the library nor a chip was at hand, so **they
have never been carried out**. The names of arguments have changed between versions; a version that lacks one of them is
refused by name. The translation into calls (`chip_calls`) is tested without either.

The adapter is kept small: layers of leaky integrate-and-fire neurons, spikes in, spikes out, the calibration that the
library loads by itself. How strong a level of a weight is on a chip is a matter of its calibration and has to be
measured there; by default the largest weight of a projection is written as the largest level.
"""

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.hardware.adapter import Availability, HardwareAdapter
from snncompare.backends.hardware.registry import is_importable
from snncompare.backends.realisation import Realisation
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from snncompare.backends.analog.profiles.profile import ChipProfile
    from snncompare.backends.hardware.chip_calls import ChipCalls

__all__ = ["BrainScaleS2"]

_LIBRARY = "hxtorch"
_MODULES = ("hxtorch.spiking", "hxtorch.snn")
"""Where the library has had its spiking modules."""
_NEEDED = ("Experiment", "Synapse", "LIF", "LIFObservables", "MixedHXModelParameter", "run")
_CONNECTIONS = ({"QUIGGELDY_IP", "QUIGGELDY_PORT"}, {"SLURM_FPGA_IPS"})
"""Environment variables of which the library's makers need one set: a shared experiment service, or the cluster."""
_EBRAINS = "JUPYTERHUB_USER"


class BrainScaleS2(HardwareAdapter):
    """The analog chip of Heidelberg.

    Parameters
    ----------
    profile : str
        Name or path of the chip profile whose limits and weight levels hold.
    dt : time
        Step of the grid of spike times, biological time.
    environment : mapping, optional
        Environment variables; default: those of this process.
    """

    name = "brainscales2"

    def __init__(
        self,
        profile: str = "bss2_calibrated",
        *,
        dt: QuantityLike = "0.1 ms",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.profile, self.dt = profile, seconds(dt, "dt")
        if self.dt <= 0:
            raise InputError(f"dt must be longer than zero, got '{dt}'; write for example '0.1 ms'.")
        self.environment = os.environ if environment is None else environment

    def available(self) -> Availability:
        """Return whether the library could be imported and a connection to a chip is configured."""
        if not is_importable(_LIBRARY):
            return Availability(
                False, f"the library '{_LIBRARY}' is not installed; it comes with EBRAINS, not with pip"
            )
        if any(all(self.environment.get(name) for name in needed) for needed in _CONNECTIONS):
            return Availability(True, f"'{_LIBRARY}' is installed and a connection is configured")
        where = " (on EBRAINS, call setup_hardware_client() of its demos first)" * (_EBRAINS in self.environment)
        asked = " or ".join(" and ".join(sorted(needed)) for needed in _CONNECTIONS)
        return Availability(False, f"'{_LIBRARY}' is installed but no chip is configured: set {asked}{where}")

    def limits(self) -> "ChipProfile":
        """Return the chip's profile."""
        from snncompare.backends.analog.profiles.profile import ChipProfile

        return ChipProfile.load(self.profile)

    def run(
        self,
        network: Network,
        realisation: Realisation,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return the spikes of the chip, see `HardwareAdapter.run` and `chip_calls`."""
        from snncompare.backends.analog.chip import deploy
        from snncompare.backends.analog.limits.ranges import check_limits
        from snncompare.backends.hardware.chip_calls import chip_calls, recording_of

        found = self.available()
        if not found:
            raise UnsupportedError(f"the chip '{self.name}' cannot be used from here: {found.reason}.")
        profile = self.limits()
        check_limits(network, realisation, profile, self.dt)
        _check_size(network, profile)
        speedup = float(profile.speedup)
        maps = deploy(network, profile, weights=realisation, dt=f"{self.dt!r} s").weight_maps
        given = {"duration": duration, "record": record, "dt": self.dt, "speedup": speedup}
        calls = chip_calls(network, realisation, maps, inputs, **given)
        about: dict[str, object] = {"hardware": self.name, "profile": profile.name, "speedup": speedup}
        return recording_of(calls, _carried_out(calls), network, speedup=speedup, provenance=about)


def _check_size(network: Network, profile: "ChipProfile") -> None:
    """Refuse what the chip could hold only with joined circuits, or in several runs."""
    from snncompare.backends.analog.limits.resources import resources

    table = resources(network, profile)
    joined = table.index[table["circuits_per_neuron"] > 1]
    if len(joined):
        raise UnsupportedError(
            f"a neuron of '{joined[0]}' needs {int(table.loc[joined[0], 'circuits_per_neuron'])} joined circuits for "
            f"its {int(table.loc[joined[0], 'fan_in'])} inputs; this adapter joins none."
        )
    if table.attrs["runs"] > 1:
        raise UnsupportedError(
            f"'{network.name}' takes {table.attrs['runs']} runs of the chip; this adapter makes one."
        )


def _carried_out(calls: "ChipCalls") -> dict[str, NDArray[np.bool_]]:
    """Hand the calls to the library, and return who fired: population to bool (n_steps, n_trials, n_neurons)."""
    library, snn, torch = import_module(_LIBRARY), _spiking_modules(), import_module("torch")
    library.init_hardware()
    try:
        experiment = snn.Experiment(mock=False, dt=calls.dt)
        handles = {name: snn.LIFObservables(spikes=torch.from_numpy(r).float()) for name, r in calls.inputs.items()}
        for layer in calls.layers:
            handles[layer.population] = _called(layer, handles[layer.source], snn, experiment, torch)
        snn.run(experiment, calls.n_steps)
        return {name: handles[name].spikes.detach().numpy() > 0.5 for name in calls.recorded}
    finally:
        library.release_hardware()


def _spiking_modules() -> Any:
    for name in _MODULES:
        try:
            found = import_module(name)
        except ModuleNotFoundError:
            continue
        lacking = [each for each in _NEEDED if not hasattr(found, each)]
        if not lacking:
            return found
        raise UnsupportedError(
            f"'{name}' of the installed {_LIBRARY} has no {', '.join(lacking)}; use another version."
        )
    raise UnsupportedError(f"the installed {_LIBRARY} has none of the modules {', '.join(_MODULES)}.")


def _called(layer: Any, source: Any, snn: Any, experiment: Any, torch: Any) -> Any:
    """Make synapses and neurons of a layer, and return the handle of what they will have fired."""
    from snncompare.backends.hardware.chip_calls import LEAK_LSB, THRESHOLD_LSB

    n_target, n_source = layer.levels.shape
    try:
        synapse = snn.Synapse(n_source, n_target, experiment=experiment)
        neuron = snn.LIF(
            n_target,
            experiment=experiment,
            tau_mem=layer.tau_mem,
            tau_syn=layer.tau_syn,
            refractory_time=layer.refractory_time,
            leak=snn.MixedHXModelParameter(0.0, LEAK_LSB),
            reset=snn.MixedHXModelParameter((layer.reset - LEAK_LSB) / (THRESHOLD_LSB - LEAK_LSB), layer.reset),
            threshold=snn.MixedHXModelParameter(1.0, THRESHOLD_LSB),
            enable_spike_recording=True,
            enable_cadc_recording=False,
        )
    except TypeError as error:
        raise UnsupportedError(
            f"the installed {_LIBRARY} takes other arguments than this adapter knows: {error}."
        ) from error
    synapse.weight.data = torch.from_numpy(layer.levels).float()
    return neuron(synapse(source))
