"""What becomes of Neo objects that others made."""

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq

from snncompare.errors import InputError
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording


def train(times, *, name=None, units="ms", stop=1000.0, **annotations):
    return neo.SpikeTrain(times, units=units, t_stop=stop, name=name, **annotations)


def block(*segments, **annotations):
    result = neo.Block()
    for i, trains in enumerate(segments):
        segment = neo.Segment(name=f"trial {i}", condition="ab"[i % 2], **annotations)
        segment.spiketrains.extend(trains)
        result.segments.append(segment)
    return result


def test_units_are_matched_by_name_over_segments():
    given = block(
        [train([1, 2], name="u", area="V1"), train([], name="v", area="LM")],
        [train([5.0], name="v", area="LM"), train([3.0], name="u", area="V1")],
    )
    recording = Recording.from_neo(given)
    assert recording.units["area"].to_dict() == {"u": "V1", "v": "LM"}
    assert recording.train("trial 1", "v").tolist() == [0.005]
    assert recording.train("trial 0", "v").size == 0
    assert recording.trials["condition"].tolist() == ["a", "b"]
    assert recording.trials["stop"].tolist() == [1.0, 1.0]


def test_units_are_matched_by_annotation_then_by_position():
    by_id = Recording.from_neo(
        block([train([1], unit_id=7), train([2], unit_id=3)], [train([4], unit_id=3), train([3], unit_id=7)])
    )
    assert list(by_id.units.index) == [7, 3]
    assert by_id.train("trial 1", 7).tolist() == [0.003]
    by_position = Recording.from_neo(block([train([1]), train([2])], [train([3]), train([4])]))
    assert list(by_position.units.index) == [0, 1]
    assert by_position.train("trial 1", 0).tolist() == [0.003]


def test_segments_that_disagree_are_refused():
    with pytest.raises(InputError, match="Segment 0 has no SpikeTrain of 'v'"):
        Recording.from_neo(block([train([], name="u")], [train([], name="v")]))
    with pytest.raises(InputError, match="between 1 and 2 SpikeTrains"):
        Recording.from_neo(block([train([])], [train([]), train([])]))
    swapped = [train([], name=n) for n in "uuv"], [train([], name=n) for n in "uvu"]
    with pytest.raises(InputError, match="names are not unique"):
        Recording.from_neo(block(*swapped))
    with pytest.raises(InputError, match="Segments hold no SpikeTrain, the first is number 1"):
        Recording.from_neo(block([train([])], []))
    with pytest.raises(InputError, match="no spikes"):
        Recording.from_neo(neo.Block())


@pytest.mark.parametrize("units", ["s", "ms", "us"])
def test_neo_to_recording_and_back_is_equal_in_seconds(units):
    times = np.array([1.5, 2.25, 900.125])
    given = block([train(times, name="u", units=units), train([], name="v", units=units)])
    back = Recording.from_neo(given).to_neo()
    for before, after in zip(given.segments[0].spiketrains, back.segments[0].spiketrains, strict=True):
        assert np.array_equal(before.rescale("s").magnitude, after.magnitude)
        assert before.t_stop.rescale("s") == after.t_stop
        assert before.name == after.name
    assert back.segments[0].annotations["condition"] == "a"


def test_units_of_time_may_differ_between_trains():
    given = block([train([500.0], name="u"), train([0.25], name="v", units="s", stop=2.0)])
    recording = Recording.from_neo(given)
    assert [recording.train("trial 0", u).tolist() for u in "uv"] == [[0.5], [0.25]]
    assert recording.trials["stop"].tolist() == [2.0]


def test_events_and_epochs_become_marks():
    given = block([train([1.0], name="u")])
    segment = given.segments[0]
    tone = neo.Event([10, 20] * pq.ms, labels=["x", "y"], name="tone", array_annotations={"level": np.array([1, 2])})
    light = neo.Epoch([0.1] * pq.s, durations=[50] * pq.ms, labels=["on"], name="light")
    segment.events.append(tone)
    segment.epochs.extend([light, neo.Epoch([1] * pq.s, durations=[1] * pq.s, name="tone")])
    marks = Recording.from_neo(segment).marks
    assert marks["tone"].table[["start", "label", "level"]].to_numpy().tolist() == [[0.01, "x", 1], [0.02, "y", 2]]
    assert marks["light"].kind == "epoch"
    np.testing.assert_allclose(marks["light"].table["stop"], [0.15])
    assert list(marks) == ["tone", "light", "tone (epoch)"]


def test_what_has_no_single_value_is_left_out_and_said():
    given = block([train([1.0], name="u", shape=[1, 2], depth=3 * pq.mm)], notes=["a"])
    recording = Recording.from_neo(given)
    assert recording.units.loc["u", "depth"] == "3.0 mm"
    assert recording.provenance["left_out"] == [
        "annotation 'notes' of the Segments",
        "annotation 'shape' of the SpikeTrains",
    ]


def test_a_block_changed_in_neo_keeps_what_still_fits():
    recording = Recording.from_arrays(
        times=[0.1],
        unit=[5],
        trial=[1],
        units=pd.DataFrame({"depth": [1, 2]}, index=[5, 6]),
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0, "level": [1, 2]}),
        marks={"tone": Marks("event", pd.DataFrame({"trial": [0, 1], "start": [0.0, 0.1], "stop": [0.0, 0.1]}))},
    )
    given = recording.to_neo()
    given.segments = given.segments[1:]
    given.segments[0].annotations["level"] = "loud"
    changed = Recording.from_neo(given)
    assert list(changed.trials.index) == [1]
    assert changed.trials["level"].tolist() == ["loud"]
    assert changed.train(1, 5).tolist() == [0.1]
    assert changed.marks["tone"].table["start"].tolist() == [0.1]


def test_names_that_read_the_same_cannot_become_neo():
    recording = Recording.from_arrays(
        times=[],
        unit=[],
        trial=[],
        units=pd.DataFrame(index=pd.Index([1, "1"], dtype=object)),
        trials=pd.DataFrame({"start": [0.0], "stop": [1.0]}),
    )
    with pytest.raises(InputError, match="read the same"):
        recording.to_neo()


def test_a_recording_survives_a_nix_file(tmp_path):
    marks = Marks(
        "epoch", pd.DataFrame({"trial": ["x"], "start": [0.1], "stop": [0.30000000000000004], "label": ["on"]})
    )
    recording = Recording.from_arrays(
        times=[0.1, 0.7],
        unit=["a", "a"],
        trial=["x", "y"],
        units=pd.DataFrame({"area": ["V1", None], "good": [True, False]}, index=["a", "b"]),
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0, "level": [0.1, 0.2]}, index=["x", "y"]),
        marks={"light": marks},
    )
    path = str(tmp_path / "recording.nix")
    with neo.io.NixIO(path, mode="ow") as file:
        file.write_block(recording.to_neo())
    with neo.io.NixIO(path, mode="ro") as file:
        assert Recording.from_neo(file.read_block()).equals(recording)


def test_an_epoch_keeps_its_stop_though_neo_stores_durations():
    start = np.arange(-500, 500) / 100
    stop = np.round(start + np.linspace(0.01, 5, start.size), 2)
    assert (start + (stop - start) != stop).any()
    recording = Recording.from_arrays(
        times=[],
        unit=[],
        trial=[],
        units=pd.DataFrame(index=["a"]),
        trials=pd.DataFrame({"start": [-5.0], "stop": [10.0]}),
        marks={"light": Marks("epoch", pd.DataFrame({"trial": 0, "start": start, "stop": stop}))},
    )
    assert Recording.from_neo(recording.to_neo()).equals(recording)
