"""A user's folder of WAV files: sample formats, labels, and one clear error for each thing that can be wrong."""

import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from snncompare.datasets.samplers.sound_files import read_sound, sound_files
from snncompare.datasets.samples import EncodedSource
from snncompare.encoding.auditory.heidelberg import Heidelberg
from snncompare.errors import FileError, InputError

RATE = 16_000
WAVE = 0.8 * np.sin(2 * np.pi * 440 * np.arange(1600) / RATE)


def write(path: Path, samples: np.ndarray = WAVE, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate, samples)
    return path


def write_24_bit(path: Path, samples: np.ndarray) -> Path:
    whole = np.round(samples * 2**23).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(whole), b"WAVE", b"fmt ", 16, 1, 1, RATE, 3 * RATE, 3, 24)
    path.write_bytes(header + struct.pack("<4sI", b"data", len(whole)) + whole)
    return path


@pytest.mark.parametrize(
    ("samples", "step"),
    [
        (np.round(WAVE * 32768).astype(np.int16), 2.0**-15),
        (np.round(WAVE * 2.0**31).astype(np.int32), 2.0**-31),
        (np.round(WAVE * 128 + 128).astype(np.uint8), 2.0**-7),
        (WAVE.astype(np.float32), 2.0**-24),
        (WAVE, 0.0),
    ],
    ids=["int16", "int32", "uint8", "float32", "float64"],
)
def test_sample_formats_are_relative_to_full_scale(tmp_path: Path, samples: np.ndarray, step: float) -> None:
    sound = read_sound(write(tmp_path / "a.wav", samples))
    np.testing.assert_allclose(sound.samples, WAVE, atol=step)
    assert sound.sampling_rate == RATE


def test_24_bits_are_read(tmp_path: Path) -> None:
    sound = read_sound(write_24_bit(tmp_path / "a.wav", WAVE))
    np.testing.assert_allclose(sound.samples, WAVE, atol=2.0**-23)


def test_labels_are_sub_folders(tmp_path: Path) -> None:
    for name in ("yes/b.wav", "no/a.WAV", "yes/a.wav"):
        write(tmp_path / name)
    samples = sound_files({}, folder=str(tmp_path), label="word")
    assert samples.table["word"].to_dict() == {"no/a.WAV": "no", "yes/a.wav": "yes", "yes/b.wav": "yes"}
    np.testing.assert_array_equal(samples.stimulus(1).samples, WAVE)


def test_labels_are_columns_of_a_table(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        write(tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,word,speaker\nc.wav,go,1\na.wav,stop,2\n")
    samples = sound_files({}, folder=str(tmp_path), table="labels.csv")
    assert samples.table.to_dict("index") == {
        "c.wav": {"word": "go", "speaker": 1},
        "a.wav": {"word": "stop", "speaker": 2},
    }


def test_number_of_a_sound_is_that_of_its_name(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write(tmp_path / name)
    both = sound_files({}, folder=str(tmp_path))
    (tmp_path / "labels.csv").write_text("file\nb.wav\n")
    one = sound_files({}, folder=str(tmp_path), table="labels.csv")
    assert one.number(0) == both.number(1) != both.number(0)
    assert "label" not in both.table


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(100, dtype=np.int16), "is silent"),
        (np.full(100, 77, dtype=np.int16), "is silent"),
        (np.clip(WAVE * 60_000, -32768, 32767).astype(np.int16), "is clipped"),
        (np.clip(2 * WAVE, -1.0, 1.0), "is clipped"),
        (np.stack([WAVE, WAVE], axis=1), "has 2 channels.*mix=True"),
        (np.array([], dtype=np.int16), "is empty"),
        (np.where(np.arange(1600) == 7, np.nan, WAVE), "1 samples that are not finite"),
        (3 * WAVE, "beyond full scale, to 2.4"),
    ],
    ids=["silent", "constant", "clipped-int16", "clipped-float", "stereo", "empty", "nan", "loud"],
)
def test_each_bad_sound_has_one_clear_error(tmp_path: Path, samples: np.ndarray, message: str) -> None:
    path = write(tmp_path / "a.wav", samples)
    with pytest.raises(FileError, match=message) as caught:
        read_sound(path)
    assert "a.wav" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_allowed_is_read(tmp_path: Path) -> None:
    silent = read_sound(write(tmp_path / "s.wav", np.zeros(10, dtype=np.int16)), allow=("silent",))
    assert not silent.samples.any()
    clipped = np.clip(2 * WAVE, -1.0, 1.0)
    np.testing.assert_array_equal(read_sound(write(tmp_path / "c.wav", clipped), allow=("clipped",)).samples, clipped)
    mixed = read_sound(write(tmp_path / "m.wav", np.stack([WAVE, np.zeros(1600)], axis=1)), mix=True)
    np.testing.assert_allclose(mixed.samples, WAVE / 2)


def test_a_peak_at_full_scale_is_no_clipping(tmp_path: Path) -> None:
    wave = WAVE.copy()
    wave[[500, 501]] = 1.0
    assert read_sound(write(tmp_path / "a.wav", wave)).samples.max() == 1.0


@pytest.mark.parametrize("kept", [0, 3, 20, 43, 100])
def test_truncated_files_are_refused(tmp_path: Path, kept: int) -> None:
    path = write(tmp_path / "a.wav", (WAVE * 32767).astype(np.int16))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(FileError, match=r"cannot be read as WAV|is empty"):
        read_sound(path)


def test_what_is_no_wav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"ID3 an mp3 with a wrong name" * 9)
    with pytest.raises(FileError, match="cannot be read as WAV"):
        read_sound(tmp_path / "a.wav")


def test_folders_hold_sounds_of_one_rate(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    write(tmp_path / "b.wav", rate=8000)
    samples = sound_files({}, folder=str(tmp_path))
    samples.stimulus(0)
    with pytest.raises(FileError, match=r"b\.wav' has a sampling rate of 8000 Hz instead of 16000 Hz"):
        samples.stimulus(1)
    with pytest.raises(FileError, match=r"a\.wav' has a sampling rate of 16000 Hz instead of 44100 Hz"):
        sound_files({}, folder=str(tmp_path), sampling_rate="44.1 kHz").stimulus(0)


@pytest.mark.parametrize("rate", [10, 2_000_000])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: int) -> None:
    with pytest.raises(FileError, match="that is no sound"):
        read_sound(write(tmp_path / "a.wav", rate=rate))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,word\na.wav,go\n", "needs a column 'file'"),
        ("file,word\n", "a row per sound"),
        ("file\nx.wav\n", "names 'x.wav'"),
        ("file\n../a.wav\n", "names '../a.wav'"),
        ("file\na.wav\na.wav\n", "a file twice"),
        ("", "cannot be read"),
    ],
    ids=["column", "rows", "absent", "outside", "twice", "empty"],
)
def test_tables_that_fit_no_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    folder = tmp_path / "sounds"
    write(folder / "a.wav")
    write(tmp_path / "a.wav")
    (folder / "labels.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        sound_files({}, folder=str(folder), table="labels.csv")


def test_folders_without_sounds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no file"):
        sound_files({}, folder=str(tmp_path))
    with pytest.raises(InputError, match="there is no folder"):
        sound_files({}, folder=str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="'silent' or 'clipped'"):
        sound_files({}, folder=str(tmp_path), allow=("stereo",))


def test_the_cochlea_hears_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "hum" / "a.wav")
    write(tmp_path / "hiss" / "b.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 1600))
    source = EncodedSource(sound_files({}, folder=str(tmp_path)), Heidelberg(n_channels=40), seed=0)
    recording = source.recording()
    assert recording.trials["label"].tolist() == ["hiss", "hum"]
    assert recording.times.size > 10
    np.testing.assert_array_equal(
        source.recording(np.array([1])).times, recording.select(trials=np.array([False, True])).times
    )
