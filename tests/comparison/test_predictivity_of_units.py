"""Cross-validated predictivity equals scikit-learn's, is 0 for unrelated models, and is corrected for reliability."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import KernelCenterer

from snncompare.comparison.prediction.predictivity import PENALTIES, predictivity
from snncompare.comparison.prediction.ridge import choose_penalties, ridge_predictions, split_into_folds
from snncompare.comparison.prediction.unit_responses import split_half_reliability, unit_responses
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions

N = 30


def features(seed, n=N, n_features=6):
    return xr.DataArray(
        np.random.default_rng(seed).normal(size=(n, n_features)),
        dims=("condition", "feature"),
        coords={"condition": [f"c{k}" for k in range(n)]},
    )


def linear_responses(predictors, n_units=5, noise=0.3, seed=1):
    generator = np.random.default_rng(seed)
    signal = predictors.to_numpy() @ generator.normal(size=(predictors.shape[1], n_units))
    values = 4 + signal + noise * generator.normal(size=signal.shape)
    return xr.DataArray(values, dims=("condition", "unit"), coords={"condition": predictors.condition})


def in_sample_correlation(predictors, responses, penalty=1e-3):
    every = np.arange(len(responses))
    gram = predictors.to_numpy() @ predictors.to_numpy().T
    fitted = ridge_predictions(gram, responses.to_numpy(), every, every, np.array([penalty]))[0]
    return np.mean([np.corrcoef(fitted[:, u], responses[:, u])[0, 1] for u in range(responses.shape[1])])


def split(seed=0, n_test=8):
    order = np.random.default_rng(seed).permutation(N)
    return order[n_test:], order[:n_test]


@pytest.mark.parametrize("n_features", [4, 60], ids=["few features", "many features"])
def test_predictions_from_a_linear_kernel_are_ridge_regression(n_features):
    x = features(0, n_features=n_features)
    y, (train, test) = linear_responses(x).to_numpy(), split()
    x = x.to_numpy()
    ours = ridge_predictions(x @ x.T, y, train, test, np.array(PENALTIES))
    scale = np.mean(np.sum((x[train] - x[train].mean(axis=0)) ** 2, axis=1))
    for penalty, predicted in zip(PENALTIES, ours, strict=True):
        theirs = Ridge(alpha=penalty * scale).fit(x[train], y[train]).predict(x[test])
        np.testing.assert_allclose(predicted, theirs, atol=1e-9)
    assert np.abs(ours[0] - ours[-1]).max() > 1


def test_predictions_from_any_kernel_are_kernel_ridge_regression():
    x, (train, test) = features(0).to_numpy(), split()
    y, gram = linear_responses(features(0)).to_numpy(), rbf_kernel(x)
    ours = ridge_predictions(gram, y, train, test, np.array(PENALTIES))
    centre = KernelCenterer().fit(gram[np.ix_(train, train)])
    own, cross = centre.transform(gram[np.ix_(train, train)]), centre.transform(gram[np.ix_(test, train)])
    for penalty, predicted in zip(PENALTIES, ours, strict=True):
        ridge = KernelRidge(alpha=penalty * np.trace(own) / len(train), kernel="precomputed")
        theirs = ridge.fit(own, y[train] - y[train].mean(axis=0)).predict(cross) + y[train].mean(axis=0)
        np.testing.assert_allclose(predicted, theirs, atol=1e-9)


def test_inner_folds_choose_what_a_search_with_scikit_learn_chooses():
    x, y = features(0, n_features=40).to_numpy(), linear_responses(features(0, n_features=40), noise=6).to_numpy()
    folds = split_into_folds(np.arange(N), 5, np.random.default_rng(2))
    error = np.zeros((len(PENALTIES), y.shape[1]))
    for test in folds:
        train = np.setdiff1d(np.arange(N), test)
        scale = np.mean(np.sum((x[train] - x[train].mean(axis=0)) ** 2, axis=1))
        for k, penalty in enumerate(PENALTIES):
            error[k] += np.sum(
                (Ridge(alpha=penalty * scale).fit(x[train], y[train]).predict(x[test]) - y[test]) ** 2, axis=0
            )
    chosen = choose_penalties(x @ x.T, y, folds, np.array(PENALTIES))
    assert chosen.tolist() == error.argmin(axis=0).tolist()
    assert len(set(chosen.tolist())) > 1


def test_a_true_model_is_found_and_an_unrelated_one_is_not():
    x = features(0)
    y = linear_responses(x)
    assert predictivity(y, x).median > 0.9
    assert predictivity(y, x, score="r2").median > 0.9
    unrelated = predictivity(y, features(7))
    assert unrelated.median < 0.4
    assert predictivity(y, features(7), score="r2").median < 0.2


def test_shuffled_conditions_give_0_on_average_and_an_in_sample_score_does_not():
    """120 shuffles of 10 units; the in-sample control shows what cross-validation is for."""
    x = features(0, n_features=20)
    y = linear_responses(x, n_units=10)
    generator, held_out, r2, pooled, in_sample = np.random.default_rng(3), [], [], [], []
    for k in range(120):
        shuffled = y.copy(data=y.to_numpy()[generator.permutation(N)])
        found = predictivity(shuffled, x, seed=k, penalties=PENALTIES[::4])
        held_out.append(found.table["score"].mean())
        r2.append(predictivity(shuffled, x, seed=k, score="r2", penalties=PENALTIES[::4]).table["score"].mean())
        pairs = zip(found.predictions.to_numpy().T, shuffled.to_numpy().T, strict=True)
        pooled.append(np.mean([np.corrcoef(p, v)[0, 1] for p, v in pairs]))
        in_sample.append(in_sample_correlation(x, shuffled))
    standard_error = np.std(held_out) / np.sqrt(len(held_out))
    assert abs(np.mean(held_out)) < 3 * standard_error < 0.06
    assert -0.4 < np.mean(r2) < 0  # an estimated mean and an estimated penalty cost something
    assert np.mean(pooled) < -0.1  # why folds are scored one by one
    assert np.mean(in_sample) > 0.7


def test_kernels_see_what_is_not_linear():
    x = features(0, n=60, n_features=2)
    radius = np.sum(x.to_numpy() ** 2, axis=1)
    y = xr.DataArray(radius[:, None], dims=("condition", "unit"), coords={"condition": x.condition})
    names = x.condition.to_numpy()
    gram = xr.DataArray(
        rbf_kernel(x.to_numpy()), dims=("condition", "condition_"), coords={"condition": names, "condition_": names}
    )
    assert predictivity(y, gram).median > 0.8
    assert predictivity(y, x).median < 0.3


def test_conditions_are_aligned_by_label():
    x = features(0)
    y = linear_responses(x)
    expected = predictivity(y, x)
    order = np.random.default_rng(5).permutation(N)
    found = predictivity(y, x.isel(condition=order))
    pd.testing.assert_frame_equal(found.table, expected.table, rtol=1e-9)  # sums in another order
    misplaced = x.isel(condition=order).assign_coords(condition=x.condition)
    assert predictivity(y, misplaced).median < expected.median - 0.3
    gram = xr.DataArray(
        x.to_numpy() @ x.to_numpy().T,
        dims=("condition", "condition_"),
        coords={"condition": x.condition.to_numpy(), "condition_": x.condition.to_numpy()},
    ).isel(condition=order, condition_=order)
    np.testing.assert_allclose(predictivity(y, gram).table["score"], expected.table["score"], atol=1e-9)


def test_the_folds_and_penalties_matter_and_the_seed_decides():
    x = features(0, n_features=25)
    y = linear_responses(x, noise=2)
    first = predictivity(y, x).table["score"]
    assert predictivity(y, x).table["score"].equals(first)
    for other in ({"seed": 1}, {"n_folds": 3}, {"n_inner_folds": 2, "seed": 2}, {"penalties": [100.0]}):
        assert not predictivity(y, x, **other).table["score"].equals(first)


def test_rows_of_one_group_are_never_split():
    groups = np.repeat(np.arange(10), 3)
    folds = split_into_folds(groups, 4, np.random.default_rng(0))
    assert sorted(np.concatenate(folds).tolist()) == list(range(30))
    assert all(not set(groups[a]) & set(groups[b]) for k, a in enumerate(folds) for b in folds[:k])
    assert [len(fold) for fold in folds] == [9, 9, 6, 6]


def test_repeated_trials_of_a_condition_leak_unless_they_are_grouped():
    """Responses are random per condition, so nothing can be predicted for a new one."""
    generator = np.random.default_rng(0)
    conditions = np.repeat(np.arange(10), 4)
    names = [f"t{k}" for k in range(40)]
    x = xr.DataArray(generator.normal(size=(10, 30))[conditions], dims=("trial", "feature"), coords={"trial": names})
    values = generator.normal(size=(10, 8))[conditions] + 0.1 * generator.normal(size=(40, 8))
    y = xr.DataArray(values, dims=("trial", "unit"), coords={"trial": names})
    assert predictivity(y, x, n_folds=3).median > 0.8
    assert predictivity(y, x, n_folds=3, groups=conditions.tolist()).median < 0.4


def poisson_recording(seed, n_conditions=12, n_trials=10, n_units=6, spread=1.0, silent=False):
    generator = np.random.default_rng(seed)
    log_rate = np.log(8) + spread * generator.normal(size=(n_conditions, n_units))
    conditions = np.repeat(np.arange(n_conditions), n_trials)
    counts = generator.poisson(np.exp(log_rate)[conditions])
    counts[:, 0] *= not silent
    trial, unit = (np.repeat(where.ravel(), counts.ravel()) for where in np.indices(counts.shape))
    recording = Recording.from_arrays(
        times=generator.uniform(0, 2, len(trial)),
        unit=[f"u{k}" for k in unit],
        trial=trial,
        units=pd.DataFrame(index=[f"u{k}" for k in range(n_units)]),
        trials=pd.DataFrame({"start": 0.0, "stop": 2.0, "stimulus": [f"s{c}" for c in conditions]}),
    )
    return recording, np.exp(log_rate) / 2, counts


def test_responses_are_mean_rates_per_condition():
    recording, _, counts = poisson_recording(0)
    found = unit_responses(recording, "stimulus")
    np.testing.assert_allclose(found.mean, counts.reshape(12, 10, 6).mean(axis=1) / 2)
    assert found.mean.condition.to_numpy().tolist() == [f"s{k}" for k in range(12)]
    assert found.reliability.dims == ("unit",)


def sessions(swapped=False):
    """Return two units that were recorded in trials of their own, conditions in another order."""
    stimuli = ["x", "x", "y", "y", "z", "z"]
    other = ["z", "y", "x", "x", "y", "w" if swapped else "z"]
    count = {"a": [1, 1, 2, 2, 5, 5], "b": [6, 4, 2, 2, 4, 6]}
    rows = [(f"{unit}{k}", unit, n) for unit, counts in count.items() for k, n in enumerate(counts)]
    return Recording.from_arrays(
        times=np.full(sum(n for *_, n in rows), 0.5),
        unit=np.repeat([unit for _, unit, _ in rows], [n for *_, n in rows]),
        trial=np.repeat([trial for trial, *_ in rows], [n for *_, n in rows]),
        units=pd.DataFrame({"session": ["a", "b"]}, index=["a", "b"]),
        trials=pd.DataFrame(
            {"start": 0.0, "stop": 2.0, "stimulus": stimuli + other, "session": [unit for _, unit, _ in rows]},
            index=[trial for trial, *_ in rows],
        ),
    )


def test_units_of_different_sessions_are_joined_by_condition():
    found = unit_responses(sessions(), "stimulus", join="session")
    assert found.mean.sel(unit="a").to_numpy().tolist() == [0.5, 1, 2.5]
    assert found.mean.sel(unit="b", condition=["x", "y", "z"]).to_numpy().tolist() == [1, 2, 3]
    np.testing.assert_allclose(found.reliability, 1)
    with pytest.raises(InputError, match="join='session'"):
        unit_responses(sessions(), "stimulus")
    with pytest.raises(InputError, match=r"different labels: \['x', 'y', 'z'\] and .*'w'"):
        unit_responses(sessions(swapped=True), "stimulus", join="session")


def test_the_reliability_is_the_squared_correlation_with_the_noise_free_response():
    """Mean over 60 recordings; 10 trials in halves of 5, and the formula of Spearman and Brown."""
    reliability, squared, halves = [], [], []
    for seed in range(60):
        recording, truth, counts = poisson_recording(seed, spread=0.2)
        found = unit_responses(recording, "stimulus", seed=seed)
        reliability.append(found.reliability.to_numpy())
        squared.append([np.corrcoef(found.mean[:, u], truth[:, u])[0, 1] ** 2 for u in range(6)])
        cut = counts.reshape(12, 2, 5, 6).mean(axis=2)
        halves.append([np.corrcoef(cut[:, 0, u], cut[:, 1, u])[0, 1] for u in range(6)])
    assert np.mean(reliability) == pytest.approx(np.mean(squared), abs=0.06)  # Jensen: 12 conditions only
    assert np.mean(halves) < np.mean(squared) - 0.1  # uncorrected it would be too low


def test_reliability_is_0_on_average_where_conditions_do_not_differ_and_unknown_for_constant_units():
    values = [
        unit_responses(poisson_recording(seed, spread=0.0, silent=True)[0], "stimulus").reliability.to_numpy()
        for seed in range(30)
    ]
    assert np.isnan(np.array(values)[:, 0]).all()
    assert np.median(np.array(values)[:, 1:]) == pytest.approx(0, abs=0.2)
    conditions = Conditions.from_labels(["a", "b", "c", "c"])
    assert np.isnan(split_half_reliability(np.ones((4, 2)), conditions, 5, 0)).all()


def test_halves_share_no_trial_and_odd_trials_go_to_one_of_them():
    conditions = Conditions.from_labels(["a"] * 3 + ["b"] * 3 + ["c"] * 3)
    signal = np.repeat([0.0, 1.0, 5.0], 3)[:, None]
    assert split_half_reliability(signal, conditions, 10, 0) == pytest.approx(1)
    noise = np.random.default_rng(0).normal(size=(9, 200))
    assert np.mean(split_half_reliability(noise, conditions, 3, 0) > 0.999) < 0.05  # a shared trial would lift it


def test_scores_are_corrected_by_the_ceiling():
    recording, truth, _ = poisson_recording(3, n_conditions=30, spread=0.3, silent=True)
    responses = unit_responses(recording, "stimulus")
    model = xr.DataArray(truth, dims=("condition", "feature"), coords={"condition": responses.mean.condition})
    table = predictivity(responses, model).table
    np.testing.assert_allclose(table["corrected"], table["score"] / np.sqrt(responses.reliability))
    np.testing.assert_allclose(table["ceiling"] ** 2, table["reliability"])
    assert table.loc["u0"].isna().all()
    assert table["corrected"].median() == pytest.approx(1, abs=0.1)
    assert table["score"].median() < 0.93
    r2 = predictivity(responses, model, score="r2").table
    np.testing.assert_allclose(r2["corrected"], r2["score"] / responses.reliability)
    assert predictivity(responses.mean, model).table["corrected"].isna().all()
    some = float(np.sort(table["reliability"])[2])
    strict = predictivity(responses, model, least_reliability=some).table
    assert strict["corrected"].notna().equals(strict["reliability"] >= some)
    assert strict["score"].equals(table["score"])


def test_what_cannot_be_used_is_refused():
    x = features(0)
    y = linear_responses(x)
    with pytest.raises(InputError, match=r"different labels: \['c0'.*\['d0'"):
        predictivity(y, x.assign_coords(condition=["d0", *x.condition.to_numpy()[1:]]))
    with pytest.raises(InputError, match="aligned by label"):
        predictivity(y, x.to_numpy())
    with pytest.raises(InputError, match="has no labels"):
        predictivity(y, x.drop_vars("condition"))
    with pytest.raises(InputError, match="label twice"):
        predictivity(y, x.assign_coords(condition=["c1", *x.condition.to_numpy()[1:]]))
    with pytest.raises(InputError, match="must be finite"):
        predictivity(y, x * np.nan)
    with pytest.raises(InputError, match="at most 10 folds"):
        predictivity(y, x, n_folds=11)
    with pytest.raises(InputError, match="fewer inner folds"):
        predictivity(y, x, n_folds=2, n_inner_folds=20)
    with pytest.raises(InputError, match="did you mean 'pearson'"):
        predictivity(y, x, score="person")
    with pytest.raises(InputError, match="penalties"):
        predictivity(y, x, penalties=[0.0])
    with pytest.raises(InputError, match="least_reliability"):
        predictivity(y, x, least_reliability=0)
    with pytest.raises(InputError, match="3 groups for 30 rows"):
        predictivity(y, x, groups=["a", "b", "c"])
    with pytest.raises(InputError, match="n_folds must be a whole number"):
        predictivity(y, x, n_folds=1)
    with pytest.raises(InputError, match="unit_responses"):
        predictivity(y.transpose(), x)
    indefinite = xr.DataArray(
        -np.eye(N),
        dims=("condition", "condition_"),
        coords={"condition": x.condition.to_numpy(), "condition_": x.condition.to_numpy()},
    )
    with pytest.raises(InputError, match="positive semidefinite"):
        predictivity(y, indefinite)
    with pytest.raises(InputError, match="same labels, in the same order"):
        predictivity(y, indefinite.drop_vars("condition_"))
    with pytest.raises(InputError, match="n_splits"):
        unit_responses(poisson_recording(0)[0], "stimulus", n_splits=0)
