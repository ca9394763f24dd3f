"""Every recording of the development data is read from a few lines of configuration, with all its spikes."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from snncompare.commands.compare_data import _cut, read_population, read_trials
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.errors import FileError, InputError, SnncompareError
from snncompare.recording.doubts import doubts
from snncompare.recording.read import read, read_as_stated

CASES = yaml.safe_load((Path(__file__).parent / "real_recordings.yaml").read_text(encoding="utf-8"))


def config(name):
    return RecordingConfig.parse(CASES[name]["recording"], name)


@pytest.mark.parametrize("name", list(CASES))
def test_a_short_configuration_reads_all_trials_units_and_spikes(shared_data, name):
    recording = read_trials(config(name), shared_data)
    trials, units, spikes = CASES[name]["read"]
    assert (recording.n_trials, recording.n_units) == (trials, units)
    if spikes is not None:
        assert recording.times.size == spikes


def test_trial_numbers_keep_their_gaps(shared_data):
    recording = read(
        shared_data / CASES["locust_al_20010214"]["recording"]["file"], layout=config("locust_al_20010214").layout
    )
    octanol = recording.trials[recording.trials["odour"] == "Octanol_1"]
    assert len(octanol) == 22
    assert not {9, 10, 11} & set(octanol["number"])


def test_samples_that_are_said_to_be_seconds_are_refused_with_the_reason(shared_data):
    wrong = config("locust_text").model_copy(
        update={"layout": {**config("locust_text").layout.plain(), "time_unit": "s", "type": "text"}}
    )
    with pytest.raises(InputError, match=r"outside the window of 0 to 750 s.*sampling rate such as '15 kHz'"):
        read_trials(wrong, shared_data)


def test_text_in_samples_and_the_repacked_array_hold_the_same_trains(shared_data):
    text = read_trials(config("locust_text"), shared_data)
    array = read(
        shared_data / CASES["locust_al_20010214"]["recording"]["file"], layout=config("locust_al_20010214").layout
    )
    citral = array.select(trials=array.trials["odour"] == "Citral", units=np.arange(10) < 7)
    assert np.array_equal(text.counts().to_numpy(), citral.counts().to_numpy())
    # the array is float32: at 28.8 s its spacing is 2e-6 s, half of it per rounding
    assert np.abs(np.sort(text.times) - np.sort(citral.times)).max() < 2e-6


def test_json_and_text_of_the_same_unit_hold_the_same_trains(shared_data):
    text = read_trials(config("starling_text"), shared_data)
    own = text.trials["session"] == "st11_1_2_1"
    text = text.select(trials=own, units=text.units["session"] == "st11_1_2_1")
    json_ = read_trials(config("starling_json"), shared_data)
    for song in ("A0", "B0", "C8"):
        ours = text.select(trials=text.trials["song"] == song)
        other = json_.select(trials=json_.trials["stimulus"] == song)
        # the text has 12 significant digits of milliseconds, trials in another order
        assert np.allclose(np.sort(ours.times), np.sort(other.times), rtol=0, atol=1e-8)
        assert sorted(ours.counts().to_numpy().ravel()) == sorted(other.counts().to_numpy().ravel())


def test_neurons_of_different_sessions_share_no_trials_and_keep_their_own_order(shared_data):
    recording = read_trials(config("it_seven_objects_a"), shared_data)
    assert recording.units["session"].nunique() == recording.trials["session"].nunique() == 12
    stored = np.load(shared_data / "it_seven_objects_a/it_seven_objects_a.npz", allow_pickle=False)
    for neuron in (0, 30, 63):
        session = recording.units["session"].iloc[neuron]
        own = recording.trials[recording.trials["session"] == session]
        codes = stored["object_index"][neuron]
        assert own["object"].tolist() == stored["objects"][codes[codes >= 0]].tolist()
    trial, unit = recording.spike_index()
    sessions = recording.trials["session"].to_numpy()[trial], recording.units["session"].to_numpy()[unit]
    assert (sessions[0] == sessions[1]).all()


def test_a_comparison_of_units_that_share_no_trials_is_refused_until_one_session_is_chosen(shared_data):
    both = config("starling_text")
    with pytest.raises(InputError, match=r"2 units of 2 sessions.*where: \{session: st11_1_2_1\}.*join: session"):
        read_population(both, shared_data)
    one = {"session": ("st49_2_4_1",)}
    with pytest.raises(InputError, match="1 units of 1 sessions are not recorded in all of the trials"):
        read_population(both.model_copy(update={"units": one}), shared_data)
    assert read_population(both.model_copy(update={"units": one, "where": one}), shared_data).n_trials == 60


def test_without_the_sessions_different_trial_orders_are_refused(shared_data):
    plain = {**config("it_seven_objects_a").layout.plain(), "type": "rows"}
    del plain["session"]
    with pytest.raises(InputError, match=r"units 0 and 4 have different labels in trial 0.*'session'"):
        read(shared_data / "it_seven_objects_a/it_seven_objects_a.npz", layout=plain)


def test_a_stop_of_a_million_seconds_is_refused_until_the_extent_is_given(shared_data):
    path = shared_data / CASES["gerbil_neo_hdf5"]["recording"]["file"]
    with pytest.raises(InputError, match=r"trials end at 1e\+06 s, but the last spike of all is at 10\.97.*extent"):
        read(path)
    assert "trials end at 1e+06 s" in doubts(read_as_stated(path))[0]
    recording = read(path, extent=("0 s", "11 s"))
    assert set(recording.trials["stop"]) == {11.0}
    assert recording.trials["wav_file"].str.endswith(".wav").all()


def test_hdf5_of_old_neo_and_the_repacked_array_hold_the_same_trains(shared_data):
    old = _cut(config("gerbil_neo_hdf5"), shared_data)
    whole = read_trials(config("gerbil_npz"), shared_data)
    own = whole.select(trials=whole.trials["session"] == 0, units=whole.units["session"] == 0)
    for sound in own.trials["sound"].unique():
        ours = old.select(trials=old.trials["wav_file"] == sound).times
        other = own.select(trials=own.trials["sound"] == sound).times
        assert np.array_equal(np.sort(ours), np.sort(other[other < 10]))


def test_units_that_were_not_recorded_throughout_are_marked(shared_data):
    layout = config("locust_al_20000421").layout
    recording = read(shared_data / CASES["locust_al_20000421"]["recording"]["file"], layout=layout)
    assert recording.units.index[~recording.units["complete"]].tolist() == ["tetD1_u01"]
    said = " ".join(doubts(recording))
    assert "no spike in any trial of some values of 'odour' (unit tetD1_u01" in said
    assert "units: {complete: true}" in said


@pytest.mark.parametrize("file", ["17o05027_ic_ramp.abf", "axonio.abf", "TestFile.Ncs"])
def test_raw_formats_without_spikes_or_reader_are_refused_in_one_line(shared_data, file):
    with pytest.raises(FileError) as caught:
        read(shared_data / "raw_formats" / file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("file", "units"), [("test1.nex", 2), ("motor_units.smr", 2), ("A8604-211122.nwb", 3)])
def test_raw_formats_with_spikes_are_read(shared_data, file, units):
    assert read(shared_data / "raw_formats" / file).n_units == units


def test_a_layout_for_a_pickle_is_refused(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"")
    with pytest.raises(SnncompareError, match="pickle"):
        read(
            tmp_path / "x.pkl",
            layout={
                "type": "records",
                "records": "a",
                "times": "t",
                "unit": "u",
                "time_unit": "s",
                "window": ["0 s", "1 s"],
            },
        )
