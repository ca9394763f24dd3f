import math
import subprocess
import sys

import pytest
import quantities as pq

from snncompare.errors import InputError
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura


def test_equal_metrics_are_equal_however_their_unit_is_written():
    assert VanRossum(tau="10 ms") == VanRossum(tau="0.01 s") == VanRossum(tau=10 * pq.ms)
    assert (
        len({VictorPurpura(cost="100 Hz"), VictorPurpura(cost="0.1 kHz"), VictorPurpura(cost="100 Hz", pooled=True)})
        == 2
    )
    assert VanRossum(tau="10 ms") != VanRossum(tau="10 ms", mixing=0.5)


def test_time_scales_are_tau_and_the_inverse_of_the_cost():
    assert VanRossum(tau="10 ms").time_scale == 0.01
    assert VictorPurpura(cost="100 Hz").time_scale == 0.01
    assert VictorPurpura(cost="0 Hz").time_scale == math.inf
    assert math.isnan(SpikeCount().time_scale)


@pytest.mark.parametrize("kind", [VictorPurpura, VanRossum])
def test_a_sweep_has_the_time_scales_it_was_given(kind):
    scales = ["1 ms", "3 ms", "7 ms", "0.1 s", 2 * pq.ms]
    assert [metric.time_scale for metric in kind.sweep(scales)] == [0.001, 0.003, 0.007, 0.1, 0.002]


def test_a_sweep_keeps_the_population_coding():
    assert all(metric.pooled for metric in VictorPurpura.sweep(["1 ms", "2 ms"], pooled=True))
    assert [metric.mixing for metric in VanRossum.sweep(["1 ms", "2 ms"], mixing=0.25)] == [0.25, 0.25]


def test_the_label_names_the_population_coding_but_not_the_time_scale():
    labels = [
        VanRossum(tau="1 ms"),
        VanRossum(tau="1 ms", mixing=1),
        VictorPurpura(cost="1 Hz", pooled=True),
        SpikeCount(),
    ]
    expected = ["van Rossum", "van Rossum, mixing 1", "Victor-Purpura, pooled", "spike count"]
    assert [metric.label for metric in labels] == expected


def test_a_metric_prints_as_the_line_that_makes_it():
    for metric in (VanRossum(tau="10 ms", mixing=0.3), VictorPurpura(cost="100 Hz", pooled=True), SpikeCount()):
        assert eval(repr(metric)) == metric


MEANINGLESS = {
    "a bare number": (lambda: VanRossum(tau=10), "has no unit"),
    "a frequency as time constant": (lambda: VanRossum(tau="10 Hz"), "must be a time"),
    "no time constant": (lambda: VanRossum(tau="0 ms"), "above zero"),
    "a negative time constant": (lambda: VanRossum(tau="-1 ms"), "above zero"),
    "a mixing above one": (lambda: VanRossum(tau="10 ms", mixing=1.5), "from 0"),
    "a mixing that is not a number": (lambda: VanRossum(tau="10 ms", mixing=math.nan), "from 0"),
    "a mixing that is a truth value": (lambda: VanRossum(tau="10 ms", mixing=True), "from 0"),
    "a negative cost": (lambda: VictorPurpura(cost="-1 Hz"), "zero or more"),
    "a time as cost": (lambda: VictorPurpura(cost="1 ms"), "must be a frequency"),
    "an infinite cost": (lambda: VictorPurpura(cost="inf Hz"), "cannot read"),
    "pooling that is no truth value": (lambda: VictorPurpura(cost="1 Hz", pooled="yes"), "True or False"),
    "a sweep of one text": (lambda: VictorPurpura.sweep("1 ms"), "a list"),
    "a sweep with zero": (lambda: VictorPurpura.sweep(["0 ms"]), "above zero"),
    "an empty sweep": (lambda: VanRossum.sweep([]), "at least one"),
}


@pytest.mark.parametrize("case", MEANINGLESS)
def test_a_metric_that_means_nothing_is_refused(case):
    make, says = MEANINGLESS[case]
    with pytest.raises(InputError, match=says):
        make()


def test_naming_a_metric_does_not_import_the_compiler():
    code = (
        "import sys; from snncompare.representation.metrics import VanRossum; VanRossum(tau='1 ms');"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
