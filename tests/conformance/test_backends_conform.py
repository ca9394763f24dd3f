"""Every backend of ours passes the published checks; a backend that is wrong does not."""

import pytest

from snncompare.backends import registry
from snncompare.testing.conformance import conformance_checks


@pytest.mark.parametrize("backend", ["brian2", "fused", "torch"])
@pytest.mark.parametrize("check", conformance_checks(), ids=lambda check: check.name)
def test_backend_conforms(check, backend):
    check.run(backend)


def _broken(change):
    """Return a compile function that gives every backend but Brian2 another network."""
    genuine = registry.compile

    def compile_changed(network, backend, **options):
        return genuine(change(network) if backend != "brian2" else network, backend, **options)

    return compile_changed


def _one_step_later(network):
    later = {
        name: p.model_copy(update={"delay": type(p.delay)(p.delay.value + 5e-4, p.delay.dimension)})
        for name, p in network.projections.items()
    }
    return network.model_copy(update={"projections": later})


def _other_method(network):
    changed = {
        name: p.model_copy(update={"neuron": p.neuron.model_copy(update={"method": "euler"})})
        if p.neuron.type == "NeuronModel"
        else p
        for name, p in network.populations.items()
    }
    return network.model_copy(update={"populations": changed})


@pytest.mark.parametrize("change", [_one_step_later, _other_method], ids=["delay", "method"])
def test_check_against_brian2_turns_red_when_the_network_is_another(monkeypatch, change):
    monkeypatch.setattr("snncompare.testing.conformance.compile_network", _broken(change))
    check = next(c for c in conformance_checks() if c.name == "spikes equal Brian2's in float64")
    with pytest.raises(AssertionError, match="spikes"):
        check.run("torch")
