"""The figure of kind ``scaling`` shows the data's dissimilarities at the best place."""

import numpy as np
import pandas as pd
import pytest
from rsatoolbox.rdm import RDMs
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from snncompare.cli import main
from snncompare.commands.figure import drawn
from snncompare.commands.result_files import load_comparison
from snncompare.comparison.compare import compare


@pytest.fixture
def folder(tmp_path):
    """Return a stored comparison of data whose conditions lie in a plane, with a model that they do not fit."""
    rng = np.random.default_rng(0)
    place = rng.normal(size=(9, 2))
    labels = [f"c{k}" for k in range(9)]
    data, model = (
        RDMs(
            vector[None],
            pattern_descriptors={"condition": labels},
            rdm_descriptors={"metric": ["spike count"], "time_scale": [np.nan]},
        )
        for vector in (pdist(place), rng.random(36))
    )
    compare(data, {"m": model}).save(tmp_path / "result")
    first, second = np.triu_indices(9, 1)
    pd.DataFrame(
        {
            "metric": "spike count",
            "time_scale": np.nan,
            "condition_a": [labels[i] for i in first],
            "condition_b": [labels[j] for j in second],
            "recording": data.dissimilarities[0],
            "m": model.dissimilarities[0],
        }
    ).to_csv(tmp_path / "dissimilarities.csv", index=False)
    return tmp_path


def test_distances_in_the_plane_have_the_order_of_the_dissimilarities_of_the_data(folder):
    assert main(["figure", str(folder), "--kind", "scaling", "--out", str(folder / "plane.svg")]) == 0
    points = pd.read_csv(folder / "plane.csv").set_index("condition")
    table = pd.read_csv(folder / "dissimilarities.csv")
    a, b = (points.loc[table[column]].to_numpy() for column in ("condition_a", "condition_b"))
    shown = np.linalg.norm(a - b, axis=1)
    # nine points of a plane can be placed without stress; SMACOF stops short of that
    assert spearmanr(shown, table["recording"]).statistic > 0.95
    assert abs(spearmanr(shown, table["m"]).statistic) < 0.5  # control: not those of the model
    text = (folder / "plane.svg").read_text()
    assert "stress" in text
    assert {path.suffix for path in folder.glob("plane.*")} >= {".svg", ".pdf", ".png", ".csv"}


def test_the_points_that_are_drawn_are_those_of_the_table(folder):
    figure, table = drawn(load_comparison(folder), "scaling")
    points = np.concatenate([line.get_xydata() for line in figure.axes[0].lines])
    assert np.allclose(points, table[["x", "y"]], rtol=0, atol=1e-12)  # the same seed, so the same points
    assert [text.get_text() for text in figure.axes[0].texts][:9] == table["condition"].tolist()


def test_without_dissimilarities_there_is_nothing_to_scale(folder, refused):
    (folder / "dissimilarities.csv").unlink()
    assert "compare anew to draw dissimilarities" in refused(
        "figure", folder, "--kind", "scaling", "--out", folder / "plane.svg"
    )
