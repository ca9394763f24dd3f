"""Cards of strangers: nothing is written outside its folder, nothing is run, nothing grows without bound."""

import os
import sys

import pytest
import yaml

from snncompare import datasets
from snncompare.datasets.card import DatasetCard, read_card
from snncompare.errors import FileError, InputError


def changed(**changes):
    return datasets.card("odours").model_dump(exclude_none=True) | changes


def stored(folder, content):
    folder.mkdir(exist_ok=True)
    path = folder / "card.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def as_plain(card):
    return {key: list(value) if isinstance(value, tuple) else value for key, value in card.items()}


@pytest.mark.parametrize(
    "name",
    ["../../evil", "/tmp/evil", "a/b", "a\\b", "..", ".hidden", "", "a\nb", "a\x1b[31m", "C:evil", "a" * 101],
    ids=repr,
)
def test_a_name_that_leaves_its_folder_is_refused(name, tmp_path):
    with pytest.raises(FileError, match="wrong at name"):
        read_card(stored(tmp_path, as_plain(changed(name=name))))
    assert read_card(stored(tmp_path, as_plain(changed(name="an_odour-2.0")))).name == "an_odour-2.0"


@pytest.mark.parametrize("folder", ["../../..", "/etc", "a/../../b", "C:\\x", "a\0b", 3, ["a"], "a" * 300], ids=repr)
def test_a_folder_of_samples_stays_below_the_card(folder, tmp_path):
    recipe = {"samples": {"kind": "image_files", "folder": folder}}
    with pytest.raises(FileError, match=r"wrong at recipe\.samples: .* path on a card"):
        read_card(stored(tmp_path, as_plain(changed(recipe=recipe))))
    recipe["samples"]["folder"] = "pictures"
    assert read_card(stored(tmp_path, as_plain(changed(recipe=recipe)))).recipe is not None


@pytest.mark.parametrize("path", ["a" * 300, "a\0b", "a\nb"], ids=["long", "zero", "two lines"])
def test_a_path_that_no_system_takes_is_refused(path):
    with pytest.raises(ValueError, match="printable"):
        DatasetCard.model_validate(changed(files=[{"path": path, "content": "x", "sha256": "0" * 64}]))


@pytest.mark.parametrize("package", ["", " ", ".a", "../x", "os.path.nothing", "a" * 101], ids=repr)
def test_a_package_that_is_no_name_is_refused(package):
    with pytest.raises(ValueError, match="package"):
        DatasetCard.model_validate(changed(package=package))


def test_no_package_is_run_to_find_the_files_of_a_card(tmp_path, monkeypatch):
    (tmp_path / "runs_when_imported").mkdir()
    (tmp_path / "runs_when_imported" / "__init__.py").write_text("raise RuntimeError('it ran')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    file = {"path": "a.npz", "content": "x", "sha256": "0" * 64}
    card = DatasetCard.model_validate(changed(files=[file], package="runs_when_imported"))
    with pytest.raises(FileError, match="is not here"):
        datasets.load(card)
    assert "runs_when_imported" not in sys.modules


BOMB = "[" + "&b0 [1,1,1,1,1,1,1,1,1,1], " + ", ".join(f"&b{i} [{','.join([f'*b{i - 1}'] * 10)}]" for i in range(1, 9))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"encoder: {{kind: ReceptorNeurons, per_type: {BOMB}]}}", "aliases written out"),
        ("encoder: &e {kind: ReceptorNeurons, per_type: *e}", "alias stands inside"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a: !!python/object/apply:os.system ['true']", "asks for an object"),
        ("name: a\nname: b", "stands twice"),
        ("a: " + "1" * 2_000_000, "more than 1000000 bytes"),
    ],
    ids=["bomb", "recursive", "deep", "tag", "twice", "large"],
)
def test_yaml_that_grows_or_runs_is_refused(text, says, tmp_path):
    with pytest.raises(FileError, match=says) as refused:
        read_card(stored(tmp_path, text))
    assert "\n" not in str(refused.value)


def test_what_is_no_text_is_refused(tmp_path):
    path = stored(tmp_path, "")
    path.write_bytes(bytes(range(256)))
    with pytest.raises(FileError, match="not text in UTF-8"):
        read_card(path)


@pytest.mark.parametrize("kind", [["odours"], {"a": 1}, 3, None], ids=repr)
def test_a_kind_that_is_no_text_is_refused(kind):
    with pytest.raises(InputError, match="no kind of samples"):
        datasets.load(DatasetCard.model_validate(changed(recipe={"samples": {"kind": kind}})))
    with pytest.raises(InputError, match="no encoder of kind"):
        datasets.load("odours", encoder={"kind": kind})


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the administrator may read every folder")
def test_a_folder_that_cannot_be_read_is_one_line(tmp_path):
    path = stored(tmp_path, as_plain(changed(recipe={"samples": {"kind": "image_files", "folder": "sealed"}})))
    (tmp_path / "sealed").mkdir(mode=0)
    with pytest.raises(FileError, match="cannot be read"):
        datasets.load(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [("yin_yang", {"n_train": 10**12}), ("randman", {"n_test": 10**12}), ("store_recall", {"n_train": 2_000_000})],
)
def test_sizes_without_bound_are_refused(name, options):
    with pytest.raises(InputError, match="at most 1000000"):
        datasets.load(name, **options)
