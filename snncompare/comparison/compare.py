"""Compare RDMs of models with RDMs of data: the one entry of this room."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from snncompare.comparison.alignment import Aligned, align
from snncompare.comparison.ceiling import noise_ceiling
from snncompare.comparison.inference import Estimates, difference_table, model_table
from snncompare.comparison.measures import Measure, Spearman, check_measure
from snncompare.comparison.permutation import relabellings
from snncompare.comparison.resampling import choose_resampling
from snncompare.comparison.result import Result, labelled_resamples
from snncompare.comparison.statements import statements
from snncompare.errors import InputError

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

    from snncompare.representation.replicates import Replicates

__all__ = ["compare"]

FEWEST_RESAMPLES = 50


def compare(
    data: "RDMs",
    models: Mapping[str, "RDMs"],
    by: Measure = Spearman(),  # noqa: B008  a frozen value
    seed: int = 0,
    *,
    replicates: "Replicates | None" = None,
    n_resamples: int = 1000,
) -> Result:
    """Return how similar models are to data at every metric and time scale, with intervals, tests and ceilings.

    Conditions are aligned by label. What is resampled follows from what there is: conditions (from 8 on), subjects
    (from 2 on), else trials; `Result.resampled` says it in words. See `snncompare.comparison.inference.Estimates` for
    the intervals and tests between models, `snncompare.comparison.permutation.Relabellings` for the test against no
    relation, `snncompare.comparison.ceiling` for the noise ceilings.

    Parameters
    ----------
    data : rsatoolbox.rdm.RDMs
        ``pattern_descriptors["condition"]``; ``rdm_descriptors["metric"]``, ``["time_scale"]`` (seconds) and, with
        several animals, ``["subject"]``.
    models : mapping of name to rsatoolbox.rdm.RDMs
        Per model one RDM for every (metric, time scale) of the data, or a single RDM without a time scale, which is
        then used at every one.
    by : Measure
        ``Spearman()``, ``SpearmanRhoA()`` (models that predict ties), ``Pearson()``, ``Cosine()``, ``KendallTauA()``.
    seed : int
        Of the resamples and relabellings; the same for all models and time scales, so that they can be compared.
    replicates : Replicates, optional
        RDMs of resampled trials and of split halves of one animal.
    n_resamples : int
        Number of bootstrap samples.

    Raises
    ------
    InputError
        If data and models do not fit together, or an argument cannot be used.

    Examples
    --------
    >>> result = compare(data, {"network": network_rdms})  # doctest: +SKIP
    >>> print(result.summary())  # doctest: +SKIP
    """
    measure = check_measure(by)
    _check_numbers(seed, n_resamples)
    aligned = align(data, models)
    if replicates is not None and len(aligned.subjects) > 1:
        raise InputError(
            f"replicates describe the trials of one animal, the data hold {len(aligned.subjects)}; leave them out, or "
            "compare one animal at a time."
        )
    resampling_seed, relabelling_seed = np.random.SeedSequence(seed).generate_state(2).tolist()
    relabelled = relabellings(len(aligned.conditions), relabelling_seed)
    resampling = choose_resampling(aligned, replicates, n_resamples, resampling_seed)
    spread = None if resampling is None else resampling.spread(aligned, measure)
    estimates = Estimates.of(aligned, measure, relabelled.p_values(aligned, measure), spread)
    ceiling = noise_ceiling(aligned, measure, replicates)
    table = model_table(estimates, ceiling)
    return Result(
        table=table,
        differences=difference_table(estimates),
        measure=measure,
        resampled="nothing" if resampling is None else resampling.words,
        statements=statements(aligned, relabelled, resampling, ceiling, table, replicates=replicates),
        seed=int(seed),
        provenance=_provenance(aligned, measure, seed, n_resamples),
        ceiling=ceiling,
        resamples=None if spread is None else labelled_resamples(spread.samples, table),
    )


def _check_numbers(seed: object, n_resamples: object) -> None:
    for name, value, least in (("seed", seed, 0), ("n_resamples", n_resamples, FEWEST_RESAMPLES)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name} must be a whole number of at least {least}, got {value!r}.")


def _provenance(aligned: Aligned, measure: Measure, seed: int, n_resamples: int) -> dict[str, Any]:
    from snncompare.provenance import collect

    return collect(
        seed=int(seed),
        measure=type(measure).__name__,
        n_resamples=int(n_resamples),
        models=list(aligned.names),
        conditions=[str(condition) for condition in aligned.conditions],
        subjects=[str(subject) for subject in aligned.subjects if subject != ""],
    )
