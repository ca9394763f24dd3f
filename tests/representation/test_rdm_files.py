"""A file of RDMs gives back what was saved to the last bit, and refuses everything else without executing it."""

import json
import pickle
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from rsatoolbox.rdm import RDMs

from snncompare.errors import FileError, InputError
from snncompare.number_archive import read_arrays, write_arrays
from snncompare.recording.recording import Recording
from snncompare.representation.distances import distances
from snncompare.representation.joined import joined_rdms
from snncompare.representation.metrics import SpikeCount, VanRossum
from snncompare.representation.rdm import rdm_from_distances
from snncompare.representation.repeats.replicates import replicates
from snncompare.representation.storage.rdm_files import load_rdms, read_rdm_file, save_rdms


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(0)
    trials = pd.DataFrame({"start": 0.0, "stop": 1.0, "stimulus": list("abcd") * 4})
    n = rng.integers(1, 9, 16)
    spikes = Recording.from_arrays(
        times=rng.random(n.sum()),
        unit=["u"] * n.sum(),
        trial=np.repeat(trials.index, n),
        units=pd.DataFrame(index=["u"]),
        trials=trials,
    )
    between = distances(spikes, [*VanRossum.sweep(["3 ms", "70 ms"]), SpikeCount()])
    labels = trials["stimulus"].tolist()
    return rdm_from_distances(between, labels), replicates(between, labels, n_resamples=60, n_splits=10, seed=3)


def same(a, b):
    assert a.get_vectors().tobytes() == b.get_vectors().tobytes()
    assert a.dissimilarity_measure == b.dissimilarity_measure
    assert repr(a.rdm_descriptors) == repr(b.rdm_descriptors)  # repr tells 1 from 1.0 from '1', and knows nan
    assert repr(a.pattern_descriptors) == repr(b.pattern_descriptors)
    assert repr(a.descriptors) == repr(b.descriptors)


def test_what_was_saved_comes_back_to_the_last_bit(made, tmp_path):
    rdms, repeated = made
    path = save_rdms(rdms, tmp_path / "a.npz", repeated, {"seed": 3, "who": "ä"})
    stored = read_rdm_file(path)
    same(stored.rdms, rdms)
    same(load_rdms(path), rdms)
    assert stored.provenance == {"seed": 3, "who": "ä"}
    for name in ("n_trials", "bootstrap", "half_a", "half_b"):
        assert getattr(stored.replicates, name).tobytes() == getattr(repeated, name).tobytes()
    for name in ("conditions", "metric", "time_scale", "no_bootstrap", "no_halves", "estimator", "seed"):
        assert repr(getattr(stored.replicates, name)) == repr(getattr(repeated, name))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    "labels",
    [["1", 1.5, 2, True], [0.1 + 0.2, 1e-300, -0.0, 7], ["ä", "b c", "", "NaN"], list(np.array([22.5, 45, 90, 0]))],
    ids=["mixed", "floats", "text", "numpy"],
)
def test_labels_keep_their_type(labels, tmp_path):
    rdms = RDMs(
        np.array([[1.0, np.nan, 3, 4, 5, 6]]),
        pattern_descriptors={"condition": labels},
        rdm_descriptors={"subject": [None], "time_scale": [np.inf]},
        descriptors={"note": "x"},
    )
    back = load_rdms(save_rdms(rdms, tmp_path / "a.npz"))
    plain = [label.item() if isinstance(label, np.generic) else label for label in labels]
    assert repr(back.pattern_descriptors["condition"]) == repr(plain)
    assert back.rdm_descriptors["subject"] == [None]
    assert back.rdm_descriptors["time_scale"] == [np.inf]
    assert back.descriptors == {"note": "x"}


def test_the_same_rdms_give_the_same_bytes_and_others_do_not(made, tmp_path):
    rdms, repeated = made
    paths = [save_rdms(rdms, tmp_path / f"{k}.npz", repeated) for k in range(2)]
    other = save_rdms(rdms, tmp_path / "other.npz")
    assert paths[0].read_bytes() == paths[1].read_bytes() != other.read_bytes()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: {"pattern_descriptors": {}}, "name no conditions"),
        (lambda r: {"pattern_descriptors": {"condition": list("abca")}}, "more than once"),
        (lambda r: {"dissimilarities": np.full((1, 6), np.inf)}, "infinite"),
        (lambda r: {"rdm_descriptors": {"who": [object()]}}, "only text, numbers"),
        (lambda r: {"descriptors": {"who": [1, 2]}}, "only text, numbers"),
    ],
    ids=["no conditions", "condition twice", "infinite", "an object", "a list as descriptor"],
)
def test_rdms_that_cannot_be_stored_are_refused_and_nothing_is_written(change, says, tmp_path):
    given = {"dissimilarities": np.ones((1, 6)), "pattern_descriptors": {"condition": list("abcd")}} | change(None)
    with pytest.raises(InputError, match=says):
        save_rdms(RDMs(**given), tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_name_a_missing_folder_and_odd_provenance_are_refused(made, tmp_path):
    with pytest.raises(FileError, match=r"saved as \.npz"):
        save_rdms(made[0], tmp_path / "a.pkl")
    with pytest.raises(FileError, match="cannot write"):
        save_rdms(made[0], tmp_path / "no" / "a.npz")
    for odd in (float("nan"), object(), "\ud800"):
        with pytest.raises(InputError, match="plain JSON"):
            save_rdms(made[0], tmp_path / "a.npz", provenance={"x": odd})


def rewritten(path, change):
    """Store the same file with its header or arrays changed."""
    arrays = read_arrays(path, 10**9, 100)
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    if "header" in arrays:
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    write_arrays(path, arrays)


HOSTILE = {
    "nothing": (lambda h, a: None, None),
    "other format": (lambda h, a: h.update(format="x"), "does not say"),
    "later version": (lambda h, a: h.update(version=2), "version 2"),
    "key missing": (lambda h, a: h.pop("measure"), "has the keys"),
    "key added": (lambda h, a: h.update(more=1), "has the keys"),
    "no dissimilarities": (lambda h, a: a.pop("dissimilarities"), "not 'header'"),
    "no header": (lambda h, a: a.pop("header"), "not 'header'"),
    "integers": (lambda h, a: a.update(dissimilarities=np.ones((3, 6), dtype=int)), "must be numbers"),
    "other shape": (lambda h, a: a.update(dissimilarities=np.ones(6)), "must be numbers"),
    "other number of pairs": (lambda h, a: a.update(dissimilarities=np.ones((3, 5))), "have 6 pairs"),
    "infinite": (lambda h, a: a.update(dissimilarities=np.full((3, 6), np.inf)), "infinite"),
    "descriptor too short": (lambda h, a: h["rdm_descriptors"].update(metric=["x"]), "list of 3"),
    "descriptor of lists": (lambda h, a: h["rdm_descriptors"].update(metric=[[1], [2], [3]]), "belong"),
    "condition twice": (lambda h, a: h["pattern_descriptors"].update(condition=list("aacd")), "more than once"),
    "condition missing": (lambda h, a: h["pattern_descriptors"].update(condition=[None, *"acd"]), "missing|must be"),
    "not a mapping": (lambda h, a: h.update(rdm_descriptors=[1]), "must be a mapping"),
    "a bare nan": (lambda h, a: h["descriptors"].update(x=float("nan")), "no JSON"),
    "unknown array": (lambda h, a: a.update(more=np.ones(3)), "does not name"),
    "replicates without header": (lambda h, a: h.update(replicates=None), "does not name"),
    "replicate field missing": (lambda h, a: h["replicates"].pop("seed"), "have the fields"),
    "replicates of other conditions": (
        lambda h, a: h["replicates"].update(conditions={"list": list("abce")}),
        "other conditions",
    ),
    "estimator of another module": (
        lambda h, a: h["replicates"].update(estimator={"mapping": {"type": "Popen", "args": "id"}}),
        "no estimator 'Popen'",
    ),
    "estimator with arguments": (
        lambda h, a: h["replicates"]["estimator"]["mapping"].update(nonsense=1),
        "nonsense",
    ),
    "one half": (lambda h, a: (a.pop("replicates/half_a"), h["replicates"].update(half_a=None)), "one half"),
    "bootstrap of other pairs": (lambda h, a: a.update({"replicates/bootstrap": np.ones((3, 60, 5))}), "does not fit"),
    "trials as numbers with fractions": (lambda h, a: a.update({"replicates/n_trials": np.ones(4)}), "whole number"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_file_that_was_tampered_with_is_refused_in_one_line(made, tmp_path, fault):
    change, says = HOSTILE[fault]
    path = save_rdms(made[0], tmp_path / "a.npz", made[1])
    rewritten(path, change)
    if says is None:  # control: rewriting alone does no harm
        same(load_rdms(path), made[0])
        return
    with pytest.raises(FileError, match=says) as refused:
        read_rdm_file(path)
    assert "\n" not in str(refused.value)


class Harmful:
    def __reduce__(self):
        return (open, ("pwned", "w"))


@pytest.mark.parametrize("kind", ["pickle", "object array", "text", "cut", "absent", "too large"])
def test_other_files_are_refused_and_never_run(made, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    path, limit = save_rdms(made[0], tmp_path / "a.npz", made[1]), 10**9
    match kind:
        case "pickle":
            path.write_bytes(pickle.dumps(Harmful()))
        case "object array":
            np.savez(path, header=np.array([Harmful()], dtype=object), dissimilarities=np.ones((1, 3)))
        case "text":
            path.write_text("a,b\n")
        case "cut":
            path.write_bytes(path.read_bytes()[:-200])
        case "absent":
            path.unlink()
        case "too large":
            limit = 1000
    with pytest.raises(FileError):
        read_rdm_file(path, max_bytes=limit)
    assert not (tmp_path / "pwned").exists()


def test_a_header_that_announces_more_than_follows_is_refused(made, tmp_path):
    path = save_rdms(made[0], tmp_path / "a.npz")
    with ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["dissimilarities.npy"] = members["dissimilarities.npy"].replace(b"(3, 6)", b"(9, 6)")
    with ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(FileError, match="announces"):
        read_rdm_file(path)


def rdms_of(labels, values, **descriptors):
    return RDMs(np.array([values], dtype=float), pattern_descriptors={"condition": labels}, rdm_descriptors=descriptors)


def test_recordings_are_joined_by_label_and_not_by_position():
    first = rdms_of(list("abc"), [1, 2, 3], subject=["x"])
    second = rdms_of(list("cab"), [2, 3, 1], subject=["y"], session=["s"])  # ca=2, cb=3, ab=1: the same RDM
    joined = joined_rdms({"one": first, "two": second})
    assert joined.get_vectors().tolist() == [[1, 2, 3], [1, 2, 3]]
    assert joined.rdm_descriptors["subject"] == ["x", "y"]
    assert joined.rdm_descriptors["session"] == [None, "s"]
    assert joined.pattern_descriptors["condition"] == list("abc")


def test_recordings_of_other_conditions_are_refused_with_both_sets():
    with pytest.raises(InputError, match=r"'two' has the conditions \['a', 'b', 'd'\].*'one' has \['a', 'b', 'c'\]"):
        joined_rdms({"one": rdms_of(list("abc"), [1, 2, 3]), "two": rdms_of(list("abd"), [1, 2, 3])})
    with pytest.raises(InputError, match="no RDMs"):
        joined_rdms({})
