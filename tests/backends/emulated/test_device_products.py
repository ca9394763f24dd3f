"""Products with a matrix for every device are the products of the devices one by one."""

import numpy as np
import pytest
import torch

from snncompare.backends.torch.device_products import (
    DeviceDenseProduct,
    DeviceOneToOneProduct,
    DeviceSparseProduct,
)
from snncompare.backends.torch.raster import RasterEvents
from snncompare.backends.torch.sparse import sparse_pattern

DEVICES, TRIALS, ROWS, COLUMNS, STEPS = 3, 4, 6, 5, 7
ROUNDING = 1e-13
"""Numbers of order 1, at most 28 addends in another order."""
RNG = np.random.default_rng(0)
PLACES = np.flatnonzero(RNG.random(ROWS * COLUMNS) < 0.4)


def drawn(*shape):
    return torch.from_numpy(RNG.standard_normal(shape))


def sparse(values):
    rows, columns = PLACES // COLUMNS, PLACES % COLUMNS
    block = np.arange(DEVICES)[:, None]
    shape = (DEVICES * ROWS, DEVICES * COLUMNS)
    places = ((block * ROWS + rows).ravel(), (block * COLUMNS + columns).ravel())
    return DeviceSparseProduct(sparse_pattern(*places, shape, torch.device("cpu")), values)


def written_out(values):
    flat = torch.from_numpy(PLACES)
    return values.new_zeros(DEVICES, ROWS * COLUMNS).index_add(1, flat, values).view(DEVICES, ROWS, COLUMNS)


KINDS = {
    "dense": (DeviceDenseProduct, lambda values: values, (DEVICES, ROWS, COLUMNS)),
    "sparse": (sparse, written_out, (DEVICES, PLACES.size)),
    "one to one": (DeviceOneToOneProduct, torch.diag_embed, (DEVICES, ROWS)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_values_and_gradients_are_those_of_each_device(kind):
    make, matrices, shape = KINDS[kind]
    values, spikes = drawn(*shape).requires_grad_(), drawn(DEVICES * TRIALS, ROWS).requires_grad_()
    full = matrices(values)
    before, factor = drawn(DEVICES * TRIALS, full.shape[2]), drawn(DEVICES * TRIALS, full.shape[2])
    each = [before[k * TRIALS : (k + 1) * TRIALS] + spikes[k * TRIALS : (k + 1) * TRIALS] @ full[k] for k in range(3)]
    found = make(values).add(before, spikes)
    assert float((found - torch.cat(each)).detach().abs().max()) < ROUNDING
    assert float((found - torch.cat(each[::-1])).detach().abs().max()) > 0.1
    wanted = torch.autograd.grad((torch.cat(each) * factor).sum(), (values, spikes))
    gradients = torch.autograd.grad((found * factor).sum(), (values, spikes))
    for gradient, expected in zip(gradients, wanted, strict=True):
        assert float((gradient - expected).abs().max()) < ROUNDING
    held = make(values).constant().add(before, spikes)
    assert torch.equal(held, found)
    assert torch.autograd.grad((held * factor).sum(), values, allow_unused=True) == (None,)


@pytest.mark.parametrize("density", [0.03, 0.5], ids=["as events", "as a matrix"])
@pytest.mark.parametrize("kind", ["dense", "one to one"])
def test_a_whole_raster_is_its_steps_one_by_one(kind, density):
    make, _, shape = KINDS[kind]
    values = drawn(*shape).requires_grad_()
    raster = torch.from_numpy(RNG.random((STEPS, DEVICES * TRIALS, ROWS)) < density).double()
    events = RasterEvents.of(raster)
    assert (events.offsets is None) == (density > 0.1)
    product, n_target = make(values), shape[-1]
    expected = torch.stack([product.add(raster.new_zeros(DEVICES * TRIALS, n_target), row) for row in raster])
    factor = drawn(STEPS, DEVICES * TRIALS, n_target)
    for n_steps in (STEPS, 4, 0):
        found = product.ahead(events, 0, 1, n_steps)
        assert found.shape[0] == n_steps
        if not n_steps:
            continue
        assert float((found - expected[:n_steps]).detach().abs().max()) < ROUNDING
        sums = [(sent[:n_steps] * factor[:n_steps]).sum() for sent in (found, expected)]
        gradients = [torch.autograd.grad(each, values, retain_graph=True)[0] for each in sums]
        assert float((gradients[0] - gradients[1]).abs().max()) < ROUNDING
    assert float(expected.detach().abs().max()) > 0.1
