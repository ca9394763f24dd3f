"""What the READMEs of the generated and abstractly coded datasets print is what their code prints."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import cross_val_score

from snncompare import datasets

CARDS = Path(__file__).parents[2] / "datasets"
DIGITS = {"digits_rate": 0.0, "digits_mixture": 0.5, "digits_latency": 1.0}


def parts_of_readme(name):
    text = (CARDS / name / "README.md").read_text(encoding="utf-8")
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", text, flags=re.DOTALL)
    return code, printed


@pytest.mark.parametrize(
    "name",
    [
        "evidence_accumulation",
        "store_recall",
        "pattern_generation",
        *DIGITS,
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("yin_yang", "randman")),
    ],
)
def test_the_code_in_a_readme_prints_what_stands_beside_it(name, capsys):
    code, printed = parts_of_readme(name)
    exec(compile(code, name, "exec"), {})
    found = capsys.readouterr().out
    assert found.split() == printed.split()
    assert found.split() != parts_of_readme("song_envelopes")[1].split()


@pytest.mark.parametrize("name", DIGITS)
def test_the_three_versions_of_the_digits_differ_in_the_knob_and_not_in_the_number_of_spikes(name):
    dataset = datasets.load(name, n_per_class=3)
    assert dataset.card.recipe.encoder["mixture"] == DIGITS[name]
    counts = dataset.spikes.counts().to_numpy()
    assert (counts[:, ::2] + counts[:, 1::2] == 8).all()
    assert (counts == 4).all() == (name == "digits_latency")
    assert dataset.raster(np.arange(30), "1 ms").sum() == 30 * 512
    other = datasets.load("digits_rate", n_per_class=3, encoder={"mixture": DIGITS[name]})
    assert np.array_equal(other.spikes.times, dataset.spikes.times)
    assert not np.array_equal(datasets.load(name, n_per_class=3, seed=1).spikes.times, dataset.spikes.times)


def test_a_linear_readout_finds_the_digits_in_counts_or_in_first_spikes_as_the_knob_says():
    found = {}
    for name in DIGITS:
        dataset = datasets.load(name, n_per_class=60)
        spikes = dataset.spikes
        counts = spikes.counts().to_numpy()
        first = 1e3 * spikes.times[spikes.offsets[:-1]].reshape(counts.shape)
        readout = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)
        found[name] = [cross_val_score(readout, values, dataset.labels, cv=3).mean() for values in (counts, first)]
    # Chance is 10 %; 600 trials: a standard error of 1.2 % there.
    assert found["digits_rate"][0] > 0.8
    assert found["digits_rate"][1] == pytest.approx(0.1, abs=0.05)
    assert found["digits_latency"][0] == pytest.approx(0.1, abs=0.05)
    assert found["digits_latency"][1] > 0.8
    assert found["digits_rate"][0] > found["digits_mixture"][0] > 0.5
    assert found["digits_latency"][1] > found["digits_mixture"][1] > 0.5
