"""Every metric can be written in a configuration, and a wrong key is named."""

import pytest

from snncompare.commands.compare_metrics import MetricConfig
from snncompare.errors import DescriptionError
from snncompare.representation import metrics

WRITTEN = {
    "VanRossum": {"tau": "10 ms", "mixing": 0.5},
    "VictorPurpura": {"cost": "100 Hz", "pooled": True},
    "SPIKE": {"adaptive": "auto"},
    "BinnedCount": {"width": "10 ms"},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_keys_are_the_parameters_of_the_class(name):
    assert MetricConfig(type=name, **WRITTEN[name]).made() == (getattr(metrics, name)(**WRITTEN[name]),)
    assert MetricConfig(type=name, **WRITTEN[name]) == MetricConfig(type=name, **WRITTEN[name])


def test_time_scales_make_a_sweep():
    made = MetricConfig(type="VanRossum", time_scales=["1 ms", "10 ms"], mixing=0.5).made()
    assert made == metrics.VanRossum.sweep(["1 ms", "10 ms"], mixing=0.5)


def test_a_configuration_is_written_as_it_was_given():
    given = {"type": "VanRossum", "time_scales": ["1 ms", "10 ms"], "mixing": 0.5}
    assert MetricConfig(**given).model_dump(mode="json") == given


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"type": "VanRosum"}, "did you mean 'VanRossum'"),
        ({"type": "Metric"}, "type of metric 'Metric'"),
        ({"type": "WhitenedCount"}, "type of metric 'WhitenedCount'"),
        ({"type": "VanRossum", "tao": "1 ms"}, "did you mean 'tau'"),
        ({"type": "VanRossum"}, "VanRossum needs time_scales"),
        ({"type": "VanRossum", "tau": "1 ms", "time_scales": ["1 ms"]}, "give tau for one metric or time_scales"),
        ({"type": "SpikeCount", "time_scales": ["1 ms"]}, "takes no keys"),
        ({"type": "VanRossum", "time_scales": "1 ms"}, "takes a list of time scales"),
        ({"time_scales": ["1 ms"]}, "needs a 'type': "),
    ],
    ids=["misspelt", "base class", "needs data", "misspelt key", "no scale", "both", "no keys", "no list", "no type"],
)
def test_what_cannot_be_made_is_refused_in_words(given, says):
    with pytest.raises(DescriptionError, match=says):
        MetricConfig(**given)
