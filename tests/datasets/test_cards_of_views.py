"""Cards of pictures through retinas and event cameras, and of N-MNIST: they load, encode, and always alike."""

import re

import numpy as np
import pytest

from snncompare import datasets
from snncompare.datasets import catalogue
from snncompare.errors import FileError, InputError

HANDFUL = {
    "digits_event_camera": {"n_per_class": 1},
    "digits_retina": {"n_per_class": 1},
    "mnist_event_camera": {"n_per_class": 1},
    "mnist_retina": {"n_per_class": 1},
    "n_mnist_500": {"n_per_class": 1},
    "natural_images_retina": {"n_per_class": 2},
}
SIZES = {"digits_event_camera": 200, "mnist_event_camera": 2312, "n_mnist_500": 2312}
NEEDS_FILES = {"mnist_event_camera", "mnist_retina", "n_mnist_500"}


@pytest.fixture
def loaded(request, monkeypatch):
    """Return a function that loads a handful of samples of a card, with the shared files where it needs them."""

    def load(name, **options):
        if name in NEEDS_FILES:
            monkeypatch.setenv("SNNCOMPARE_DATA", str(request.getfixturevalue("shared_data")))
        if name == "natural_images_retina":
            pytest.importorskip("skimage", reason="scikit-image carries the photographs")
        return datasets.load(name, **(HANDFUL[name] | options))

    return load


@pytest.mark.parametrize("name", HANDFUL)
def test_a_card_loads_and_its_samples_fire_the_same_alone_and_together(loaded, name):
    dataset = loaded(name)
    together, alone = dataset.recording([0, 2]), dataset.recording([2])
    n_units = together.n_units
    assert np.array_equal(together.times[together.offsets[n_units] :], alone.times)
    assert n_units == SIZES.get(name, n_units) == len(dataset.units)
    assert alone.times.size > 300
    assert len(dataset.classes) == (8 if name == "natural_images_retina" else 10)
    assert dataset.trials["stop"].iloc[0] == pytest.approx(0.34 if name == "n_mnist_500" else 0.3)


@pytest.mark.parametrize("name", ["digits_event_camera", "digits_retina"])
def test_another_seed_changes_the_noise(loaded, name):
    assert not np.array_equal(loaded(name).recording([0]).times, loaded(name, seed=1).recording([0]).times)


def test_a_digit_is_the_same_sample_in_every_selection(loaded):
    few, many = loaded("digits_event_camera"), loaded("digits_event_camera", n_per_class=2)
    there = many.trials.index.get_loc(few.trials.index[3])
    assert np.array_equal(few.recording([3]).times, many.recording([there]).times)


def test_the_camera_of_a_card_can_be_exchanged_for_a_retina(loaded):
    seen = loaded("digits_event_camera", encoder={"encoder": {"kind": "Retina"}})
    assert "cell_class" in seen.units
    assert seen.recording([0]).trials["stop"].iloc[0] == pytest.approx(0.3)


def test_parameters_and_options_that_there_are_not_are_refused(loaded):
    with pytest.raises(InputError, match="did you mean 'n_per_class'"):
        loaded("digits_event_camera", n_per_clas=1)
    with pytest.raises(InputError, match="on_treshold"):
        loaded("digits_event_camera", encoder={"encoder": {"kind": "EventCamera", "on_treshold": 0.1}})


def test_without_the_files_the_message_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.delenv("SNNCOMPARE_DATA", raising=False)
    monkeypatch.setenv("SNNCOMPARE_CACHE", str(tmp_path))
    for name, says in (("mnist_retina", "dataset get mnist_retina"), ("n_mnist", "dataset get n_mnist")):
        with pytest.raises(FileError, match=says):
            datasets.load(name)
    with pytest.raises(FileError, match="SNNCOMPARE_DATA"):
        datasets.load("n_mnist_500")


def test_another_file_in_the_place_of_mnist_is_refused(monkeypatch, tmp_path):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "mnist.npz").write_bytes(b"digits")
    monkeypatch.setenv("SNNCOMPARE_DATA", str(tmp_path))
    with pytest.raises(FileError, match="not the one on its card"):
        datasets.load("mnist_event_camera")


def test_downloads_are_known_by_the_published_hashes():
    """MD5 as tonic and SpikingJelly list them, SHA-256 as Keras does."""
    assert [file.md5 for file in datasets.card("n_mnist").files] == [
        "20959b8e626244a1b502305a9e6e2031",
        "69ca8762b2fe404d9b9bad1103e97832",
    ]
    assert datasets.card("mnist_retina").files[0].sha256.startswith("731c5ac602752760")


@pytest.mark.parametrize("name", ["digits_event_camera", "digits_retina"])
def test_the_code_in_the_readme_of_a_view_prints_what_stands_beside_it(name, capsys):
    text = (catalogue.cards_folder() / name / "README.md").read_text(encoding="utf-8")
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(code, name, "exec"), {})
    assert capsys.readouterr().out.split() == printed.split()
