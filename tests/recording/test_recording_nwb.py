"""NWB files, also the ordinary ones on which Neo's reader fails."""

import warnings
from datetime import UTC, datetime

import numpy as np
import pytest

from snncompare.errors import FileError, InputError
from snncompare.recording.read import read

pytest.importorskip("pynwb")


@pytest.fixture
def write(tmp_path):
    """Return a function that lets a test fill an NWB file and gives back its path."""

    def written(fill):
        import pynwb

        path = tmp_path / "session.nwb"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pynwb, hdmf: notes about missing metadata of this small file
            file = pynwb.NWBFile("a session", "id", datetime(2020, 1, 1, tzinfo=UTC))
            fill(file)
            with pynwb.NWBHDF5IO(path, "w") as io:
                io.write(file)
        return path

    return written


def without_obs_intervals(file):
    file.add_unit_column("quality", "by eye")
    file.add_unit_column("depth", "um")
    file.add_unit_column("peaks", "ragged", index=True)
    file.add_unit(spike_times=[0.5, 1.5, 2.5], quality="good", depth=10.0, peaks=[1, 2])
    file.add_unit(spike_times=[], quality="mua", depth=20.0, peaks=[])
    file.add_unit(spike_times=[0.75], quality="good", depth=30.0, peaks=[3])
    file.add_trial_column("odour", "which")
    file.add_trial_column("level", "how much")
    file.add_trial(start_time=0.5, stop_time=1.0, odour="mint", level=1)
    file.add_trial(start_time=2.0, stop_time=3.0, odour="citral", level=2)
    file.add_epoch(start_time=0.0, stop_time=4.0, tags=["a", "b"])


def test_units_trials_and_labels_are_read_without_obs_intervals(write):
    recording = read(write(without_obs_intervals))
    assert recording.n_trials == 1
    assert recording.units["quality"].tolist() == ["good", "mua", "good"]
    assert recording.units["depth"].tolist() == [10.0, 20.0, 30.0]
    assert [recording.train(0, unit).tolist() for unit in range(3)] == [[0.5, 1.5, 2.5], [], [0.75]]
    assert recording.trials[["start", "stop"]].to_numpy().tolist() == [[0.0, 4.0]]
    assert recording.marks["trials"].table["odour"].tolist() == ["mint", "citral"]
    assert recording.marks["epochs"].kind == "epoch"
    assert "units: column 'peaks' (not one value per row)" in recording.provenance["left_out"]


def test_trials_cut_at_their_own_length(write):
    recording = read(write(without_obs_intervals), trials="trials")
    assert recording.trials["stop"].tolist() == [0.5, 1.0]
    assert recording.trials["level"].tolist() == [1, 2]
    assert recording.train(0, 0).tolist() == [0.0]
    assert recording.train(1, 0).tolist() == [0.5]
    assert recording.train(0, 1).size == 0


def test_unit_names_name_the_units_and_intervals_of_observation_are_marks(write):
    def fill(file):
        file.add_unit_column("unit_name", "name")
        file.add_unit(spike_times=[1.0], obs_intervals=[[0.0, 2.0], [3.0, 4.0]], unit_name="tetB_1", id=4)
        file.add_unit(spike_times=[3.5], obs_intervals=[[3.0, 5.0]], unit_name="tetB_2", id=9)

    recording = read(write(fill))
    assert list(recording.units.index) == ["tetB_1", "tetB_2"]
    assert recording.units["id"].tolist() == [4, 9]
    table = recording.marks["obs_intervals"].table.sort_values(["unit", "start"])
    assert table[["unit", "start", "stop"]].to_numpy().tolist() == [
        ["tetB_1", 0.0, 2.0],
        ["tetB_1", 3.0, 4.0],
        ["tetB_2", 3.0, 5.0],
    ]
    assert recording.trials["stop"].tolist() == [5.0]


def test_a_table_with_missing_times_is_left_out_and_said(write):
    def fill(file):
        file.add_unit(spike_times=[1.0, 2.0])
        file.add_trial(start_time=0.0, stop_time=np.nan)

    path = write(fill)
    assert "trials" not in read(path).marks
    with pytest.raises(InputError, match=r"no mark 'trials'.* missing or reversed in 1 rows"):
        read(path, trials="trials")


def test_a_file_without_spikes_says_what_it_has(write):
    import pynwb

    def fill(file):
        file.add_acquisition(pynwb.TimeSeries("lfp", data=[1.0, 2.0], unit="V", rate=10.0))

    with pytest.raises(FileError, match=r"holds no spikes .* acquisition: lfp"):
        read(write(fill))


def test_what_is_no_nwb_says_so(tmp_path):
    (tmp_path / "x.nwb").write_text("hello")
    with pytest.raises(FileError, match=r"cannot be read as NWB 2\.x"):
        read(tmp_path / "x.nwb")


def test_the_file_that_neo_refuses_is_read(shared_data):
    recording = read(shared_data / "raw_formats" / "A8604-211122.nwb")
    assert (recording.n_units, recording.times.size) == (3, 21354)
    assert recording.units["electrode_group"].tolist() == ["group0_psb"] * 3


def test_mouse_gratings_match_the_array_they_were_made_from(shared_data):
    recording = read(shared_data / "neo_recordings" / "mouse_v1_gratings_60units.nwb", trials="trials")
    assert (recording.n_trials, recording.n_units) == (200, 60)
    assert recording.trials.groupby("orientation_deg").size().tolist() == [50] * 4
    assert recording.times.size == 46678
    with np.load(shared_data / "mouse_v1_gratings" / "mouse_v1_gratings.npz", allow_pickle=False) as source:
        every_trial = source["count"][:, recording.units.index.astype(int)].sum(axis=0)
        orientation = source["orientation_deg"]
    assert recording.counts().sum("trial").to_numpy().tolist() == every_trial.tolist()
    assert sorted(recording.trials["orientation_deg"]) == sorted(orientation)
