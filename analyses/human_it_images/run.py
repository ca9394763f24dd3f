"""Ask which model of the 92-image experiment is closest to human inferior temporal cortex (IT)."""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.stats import spearmanr

import snncompare as sc
from snncompare.figures.model_bars import draw_models
from snncompare.figures.rdm_panels import draw_rdm
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, new_figure, panel_letters, settle, style
from snncompare.representation.labelled import labelled_rdms

HERE = Path(__file__).parent
BRAIN, MODELS = "rsa_92_images/92_brainRDMs.mat", "rsa_92_images/92_modelRDMs.mat"
PUBLISHED = 0.439
UPPER = np.triu_indices(92, 1)
IMAGES = [f"image {k + 1}" for k in range(92)]


def human_rdms(path: Path) -> sc.RDM:
    """Return the RDMs of four people in two sessions each."""
    found = loadmat(path)["RDMs"][0]
    vectors = np.stack([found["RDM"][person, session][UPPER] for person in range(4) for session in range(2)])
    rdms = labelled_rdms(
        vectors, IMAGES, metric=["fMRI pattern correlation"] * 8, time_scale=[np.nan] * 8, name=["human IT"] * 8,
        estimator="published",
    )  # fmt: skip
    rdms.rdm_descriptors["subject"] = [f"person {person + 1}" for person in range(4) for _ in range(2)]
    rdms.rdm_descriptors["session"] = [f"session {session + 1}" for _ in range(4) for session in range(2)]
    return rdms


def model_rdms(path: Path) -> dict[str, sc.RDM]:
    """Return the eight models by name."""
    found = loadmat(path)["Models"].ravel()
    named = {str(name[0]): matrix[UPPER] for name, matrix in zip(found["name"], found["RDM"], strict=True)}
    return {
        name: labelled_rdms(
            vector[None], IMAGES, metric=["model"], time_scale=[np.nan], name=[name], estimator="published"
        )
        for name, vector in named.items()
    }


def draw(data: sc.RDM, models: dict[str, sc.RDM], result: sc.Result, folder: Path) -> None:
    """Draw the mean human RDM, the monkey's, and all models against the human noise ceiling."""
    with style():
        figure = new_figure(DOUBLE_COLUMN, 62.0)
        axes = figure.subplots(1, 3, width_ratios=[1, 1, 0.9])
        human = np.zeros((92, 92))
        human[UPPER] = data.get_vectors().mean(axis=0)
        shown = {"Human IT, mean of 8": human + human.T, "Monkey IT": models["monkeyIT"].get_matrices()[0]}
        for ax, (name, matrix) in zip(axes, shown.items(), strict=False):
            draw_rdm(matrix, [image.removeprefix("image ") for image in IMAGES], ax, every=20, colour_bar=False)
            ax.set_title(name, loc="left", fontweight="bold")
        draw_models(result, axes[2]).set_xlabel("Similarity (Spearman, rho-a)")
        axes[2].set_title("Models and humans", loc="left", fontweight="bold", pad=10.0)
        panel_letters(list(axes), dx=-14.0, dy=8.0)
        settle(figure)
        save_figure(figure, result.table, folder, "models")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/human_it_images"))
    parser.add_argument("--quick", action="store_true", help="100 resamples")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data"
    if not (shared / BRAIN).is_file():
        print(f"skipped: {BRAIN} is not in {shared}; it is not part of the repository")
        return
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    data, models = human_rdms(shared / BRAIN), model_rdms(shared / MODELS)
    value = spearmanr(data.get_vectors().mean(axis=0), models["monkeyIT"].get_vectors()[0]).statistic
    result = sc.compare(data, models, sc.SpearmanRhoA(), n_resamples=100 if arguments.quick else 1000)
    result.save(arguments.out / "result")
    draw(data, models, result, arguments.out)
    metrics = {"Spearman, monkey IT with the mean human RDM": {"value": value, "published": PUBLISHED,
               "source": "shared/data/rsa_92_images/README.md, computed with rsatoolbox's files"}}  # fmt: skip
    for _, row in result.table.iterrows():
        metrics[f"rho-a, {row['model']}"] = {"value": row["similarity"], "published": None, "source": row["verdict"]}
    for edge in ("ceiling_low", "ceiling_high"):
        metrics[edge] = {"value": float(result.table[edge].iloc[0]), "published": None, "source": "across people"}
    results = {"study": "human_it_images", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "answer": result.summary(), "provenance": result.provenance}
    file = arguments.out / "results.json"
    file.write_text(json.dumps(results, indent=2) + "\n")
    print(file)


if __name__ == "__main__":
    main()
