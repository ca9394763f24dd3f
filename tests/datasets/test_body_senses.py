"""Touch, heartbeats and odours as datasets: read as published, generated from seeds, refused where broken."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from snncompare import datasets
from snncompare.datasets.samplers.braille_letters import braille_letters
from snncompare.datasets.samplers.ecg_qtdb import PARTS_OF_HEARTBEAT, ecg_qtdb
from snncompare.datasets.samplers.odours import odours
from snncompare.datasets.samplers.synthetic_ecg import electrocardiogram, synthetic_ecg
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.level_crossing import LevelCrossing
from snncompare.errors import FileError, InputError

CARDS = Path(__file__).parents[2] / "datasets"
BRAILLE = "braille_touch/braille_touch.npz"
QTDB = {name: f"ecg_qtdb/QTDB_{name}.mat" for name in ("train", "test")}


@pytest.fixture
def named_data(shared_data, monkeypatch):
    monkeypatch.setenv("SNNCOMPARE_DATA", str(shared_data))
    return shared_data


@pytest.mark.parametrize("name", ["braille_touch", "braille_events", "ecg_qtdb", "ecg_level_crossing", "odours"])
def test_the_code_in_a_readme_runs_and_prints_what_stands_beside_it(name, capsys, request):
    if datasets.card(name).files:
        request.getfixturevalue("named_data")
    text = (CARDS / name / "README.md").read_text(encoding="utf-8")
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(code, name, "exec"), {})
    assert capsys.readouterr().out.split() == printed.split()


class TestBraille:
    @pytest.mark.usefixtures("named_data")
    def test_the_split_is_by_repetition_and_holds_every_letter_in_both_parts(self):
        data = datasets.load("braille_touch")
        assert len(data) == 1350
        assert data.trials.groupby("split")["repetition"].agg(["min", "max"]).to_numpy().tolist() == [[40, 49], [0, 39]]
        assert (data.trials.groupby(["letter", "split"]).size().unstack() == [10, 40]).all(axis=None)
        assert (data.trials["stop"] == data.trials["stop"].iloc[0]).all()

    def test_indentation_is_how_far_a_reading_fell(self, shared_data):
        with np.load(shared_data / BRAILLE, allow_pickle=False) as archive:
            readings = archive["taxel"][:, :76].astype(float)
            train = archive["repetition"] < 40
        samples = braille_letters({BRAILLE: shared_data / BRAILLE}, sampling_rate="40 Hz")
        expected = 0.01 * (readings[train].max(axis=(0, 1)) - readings[70])
        assert pytest.approx(expected, abs=1e-12) == samples.stimulus(70).values.T
        fine = braille_letters({BRAILLE: shared_data / BRAILLE}, sampling_rate="1 kHz").stimulus(70).values
        assert pytest.approx(expected, abs=1e-9) == fine[:, ::25].T
        # A monotone curve stays between the readings around it.
        assert fine.min() >= expected.min() - 1e-9
        assert fine.max() <= expected.max() + 1e-9

    def test_level_crossings_give_the_readings_back(self, shared_data):
        stimulus = braille_letters({BRAILLE: shared_data / BRAILLE}, sampling_rate="40 Hz").stimulus(70)
        delta = LevelCrossing(step=0.02)
        found = delta.reconstruction(stimulus, delta.fire(stimulus, presentation_seed(0, 0)), np.arange(76) / 40)
        assert np.abs(found - stimulus.values).max() <= 0.02 + 1e-9

    def test_files_of_other_content_are_refused(self, tmp_path):
        good = {"taxel": np.full((2, 77, 12), 200.0), "letter": np.array(["A", "B"]), "repetition": np.array([0, 40])}
        for change in (
            {"taxel": np.full((2, 77, 11), 200.0)},
            {"taxel": np.full((2, 77, 12), np.nan)},
            {"taxel": np.full((2, 77, 12), 300.0)},
            {"letter": np.array(["A"])},
            {"letter": np.array([None, "B"], dtype=object)},
        ):
            np.savez(tmp_path / "wrong.npz", **(good | change))
            with pytest.raises(FileError, match=r"wrong\.npz"):
                braille_letters({BRAILLE: tmp_path / "wrong.npz"})
        (tmp_path / "text.npz").write_text("no archive")
        with pytest.raises(FileError, match=r"text\.npz"):
            braille_letters({BRAILLE: tmp_path / "text.npz"})
        np.savez(tmp_path / "good.npz", **good)
        assert len(braille_letters({BRAILLE: tmp_path / "good.npz"}).table) == 2
        with pytest.raises(InputError, match="mm_per_reading"):
            braille_letters({BRAILLE: tmp_path / "good.npz"}, mm_per_reading=0.0)


class TestHeartbeats:
    def test_spikes_and_answers_are_those_of_the_files(self, named_data):
        data = datasets.load("ecg_qtdb")
        assert data.trials["split"].value_counts().to_dict() == {"train": 618, "test": 141}
        file = scipy.io.loadmat(named_data / QTDB["test"])
        raster = data.raster([618, 700], "4 ms")
        for row, number in enumerate((0, 82)):
            assert np.array_equal(raster[row], file["x"][number] > 0)
            target = data.target(618 + number)
            assert np.array_equal(target, file["y"][number])
            assert target["output"].values.tolist() == list(PARTS_OF_HEARTBEAT)
        assert not np.array_equal(raster[0], file["x"][1] > 0)

    def test_parts_of_the_heartbeat_follow_each_other_in_the_order_of_their_names(self, shared_data):
        """Evidence for the names, which the file does not give."""
        source = ecg_qtdb({path: shared_data / path for path in QTDB.values()})
        steps = np.zeros((6, 6), dtype=int)
        for position in range(100):
            answer = source.target(position).to_numpy()
            part = np.where(answer.any(axis=1), answer.argmax(axis=1), -1)
            known = (part[:-1] >= 0) & (part[1:] >= 0) & (part[:-1] != part[1:])
            np.add.at(steps, (part[:-1][known], part[1:][known]), 1)
        following = steps[np.arange(6), (np.arange(6) + 1) % 6]
        assert following.min() > 50
        assert steps.sum() == following.sum()

    def test_files_of_other_content_are_refused(self, tmp_path):
        x, y = np.zeros((2, 50, 4), dtype=np.int16), np.zeros((2, 50, 6), dtype=np.uint8)
        twice, two = y.copy(), x.copy()
        twice[0, 3, :2] = 1
        two[0, 3, 0] = 2
        good = tmp_path / "good.mat"
        scipy.io.savemat(good, {"x": x, "y": y})
        for content in ({"x": x}, {"x": x[..., :3], "y": y}, {"x": two, "y": y}, {"x": x, "y": twice}):
            scipy.io.savemat(tmp_path / "wrong.mat", content)
            with pytest.raises(FileError, match=r"wrong\.mat"):
                ecg_qtdb({QTDB["train"]: good, QTDB["test"]: tmp_path / "wrong.mat"})
        (tmp_path / "text.mat").write_text("no MATLAB file, but long enough to have a header of one" * 10)
        with pytest.raises(FileError, match=r"text\.mat"):
            ecg_qtdb({QTDB["train"]: good, QTDB["test"]: tmp_path / "text.mat"})
        shutil.copy(good, tmp_path / "copy.mat")
        assert len(ecg_qtdb({QTDB["train"]: good, QTDB["test"]: tmp_path / "copy.mat"}).trials) == 4
        with pytest.raises(InputError, match="step"):
            ecg_qtdb({QTDB["train"]: good, QTDB["test"]: good}, step="0 ms")


class TestSyntheticECG:
    def test_waves_have_the_published_order_and_heights(self):
        """McSharry et al. (2003), figure 4 and table I: 60 per minute, range of 1.6 mV, P and T between R waves."""
        onsets = np.arange(-3.0, 15.0)
        trace = electrocardiogram(onsets, np.zeros(17, dtype=bool), 60.0, 10.0, 500.0)
        beat = trace[1000:1500]  # begins at phase -pi
        assert beat.argmax() == pytest.approx(250, abs=5)
        assert np.ptp(beat) == pytest.approx(1.6, abs=0.15)  # the baseline follows the breath by 0.13 mV
        p, q, s, t = (beat[a:b] for a, b in ((130, 200), (215, 240), (260, 285), (320, 440)))
        assert 0.1 < p.max() - beat[60] < t.max() - beat[60] < 0.7
        assert q.min() < beat[60]
        assert s.min() < q.min()

    def test_rhythms_have_their_heart_rates_and_extrasystoles_come_early(self):
        samples = synthetic_ecg({}, n_per_class=5, noise_mv=0.0)
        for position, row in enumerate(samples.table.itertuples()):
            trace = samples.stimulus(position).values[0]
            peaks = np.flatnonzero((trace[1:-1] > 0.6) & (trace[1:-1] >= trace[:-2]) & (trace[1:-1] > trace[2:]))
            interval = np.diff(peaks) / 250.0
            low, high = {"bradycardia": (33, 53), "tachycardia": (105, 170)}.get(row.rhythm, (57, 100))
            assert low < 60 / np.median(interval) < high
            early = interval.min() < 0.8 * np.median(interval)  # 0.7 against a variability of 3 %
            assert early == (row.rhythm == "extrasystoles")

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"rhythms": ("samba",)}, "rhythm"),
            ({"rhythms": ()}, "classes"),
            ({"n_per_class": 0}, "n_per_class"),
            ({"duration": "0 s"}, "duration"),
            ({"sampling_rate": "50 Hz"}, "sampling_rate"),
            ({"noise_mv": -1.0}, "noise_mv"),
            ({"seed": -1}, "seed"),
        ],
    )
    def test_numbers_that_make_no_recording_are_refused(self, wrong, says):
        with pytest.raises(InputError, match=says):
            synthetic_ecg({}, **wrong)


class TestOdours:
    def test_an_odour_has_frozen_proportions_and_presentations_their_own_concentration(self):
        samples = odours({}, n_odours=3, n_per_class=6, fluctuation=0.0)
        for position, row in enumerate(samples.table.itertuples()):
            stimulus = samples.stimulus(position)
            peak = stimulus.values.max(axis=1)
            # 25 time constants of the rise: the plateau is reached to 1e-11.
            assert peak == pytest.approx(row.concentration * samples.proportions(position // 6), rel=1e-9)
            assert np.count_nonzero(peak) == 3
            on = np.flatnonzero(stimulus.values.sum(axis=0) > 0)[0] / stimulus.sampling_rate
            assert 0.15 <= on <= 0.2501
        assert samples.table["concentration"].between(0.0003, 0.03).all()
        assert samples.table["concentration"].nunique() == 18

    def test_fluctuations_are_shared_by_the_odorants_and_keep_the_mean(self):
        still, plume = (odours({}, n_odours=1, n_per_class=40, fluctuation=f) for f in (0.0, 0.5))
        ratios = []
        for position in range(40):
            a, b = still.stimulus(position).values, plume.stimulus(position).values
            present = a[:, 500] > 0
            course = b[present, 300:700] / a[present, 300:700]
            assert np.ptp(course, axis=0).max() < 1e-9
            ratios.append(course[0])
        # 40 x 0.4 s x 20 independent values per second: a standard error of 0.03.
        assert np.mean(ratios) == pytest.approx(1.0, abs=0.1)
        assert np.std(np.log(ratios)) == pytest.approx(0.5, abs=0.06)

    def test_presentations_are_the_same_in_a_larger_dataset_and_differ_between_seeds(self):
        small = datasets.load("odours", n_odours=2, n_per_class=2, encoder={"per_type": 1})
        large = datasets.load("odours", n_odours=3, n_per_class=4, encoder={"per_type": 1})
        other = datasets.load("odours", n_odours=2, n_per_class=2, encoder={"per_type": 1}, seed=1)
        name = "odour 2 presentation 1"
        trains = [[d.spikes.train(name, u).tolist() for u in d.units.index] for d in (small, large, other)]
        assert trains[0] == trains[1] != trains[2]
        concentrations = [d.trials.loc[name, "concentration"] for d in (small, large, other)]
        assert concentrations[0] == concentrations[1] != concentrations[2]
        assert small.trials["split"].tolist() == ["train"] * 4
        assert large.subset((large.trials["odour"] == "odour 3").to_numpy()).labels.tolist() == [2] * 4

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"n_odours": 0}, "n_odours"),
            ({"n_components": 11}, "n_components"),
            ({"lowest": 0.0}, "concentration"),
            ({"highest": 1e-6}, "concentration"),
            ({"pulse": "2 s"}, "inside"),
            ({"jitter": "300 ms"}, "inside"),
            ({"cutoff": "600 Hz"}, "cutoff"),
            ({"fluctuation": float("nan")}, "fluctuation"),
            ({"n_per_class": 0}, "n_per_class"),
        ],
    )
    def test_numbers_that_make_no_odours_are_refused(self, wrong, says):
        with pytest.raises(InputError, match=says):
            odours({}, **wrong)
