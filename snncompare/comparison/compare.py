"""Compare RDMs of models with RDMs of data: the one entry of this room."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from snncompare.comparison.alignment import Aligned, align
from snncompare.comparison.ceiling import noise_ceilings
from snncompare.comparison.checks import similarity_measure
from snncompare.comparison.inference import Estimates, difference_table, model_table
from snncompare.comparison.measures import Measure, Spearman
from snncompare.comparison.permutation import relabellings
from snncompare.comparison.resampling.choice import choose_resampling, resampled_words
from snncompare.comparison.result import Result, labelled_resamples
from snncompare.comparison.statements import statements
from snncompare.errors import InputError
from snncompare.recording.arguments import instance, whole_number

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

    from snncompare.representation.repeats.replicates import Replicates
    from snncompare.representation.unit_halves import UnitHalves

__all__ = ["compare"]

FEWEST_RESAMPLES = 50


def compare(
    data: "RDMs",
    models: Mapping[str, "RDMs"],
    by: Measure = Spearman(),  # noqa: B008  a frozen value
    seed: int = 0,
    *,
    replicates: "Replicates | None" = None,
    unit_halves: "UnitHalves | None" = None,
    n_resamples: int = 1000,
) -> Result:
    """Return how similar models are to data at every metric and time scale, with intervals, tests and ceilings.

    Conditions are aligned by label. What is resampled follows from what there is; `Result.resampled` says it in words:

    =====================  ======================================  ====================================================
    .                      8 conditions or more                    fewer conditions
    =====================  ======================================  ====================================================
    several animals        conditions and animals                  animals
    one, several sessions  conditions and sessions                 sessions
    one recording          conditions                              trials, if repeated; else only seeds; else nothing
    =====================  ======================================  ====================================================

    Sessions are resampled with their animal. Of a model with several network instances the similarity is the mean over
    them, and they are resampled too (`snncompare.comparison.resampling.seeds.with_seeds`). See
    `snncompare.comparison.inference.Estimates` for the intervals and tests between models,
    `snncompare.comparison.permutation.Relabellings` for the test against no relation,
    `snncompare.comparison.ceiling` for the noise ceilings.

    Parameters
    ----------
    data : rsatoolbox.rdm.RDMs
        ``pattern_descriptors["condition"]``; ``rdm_descriptors["metric"]``, ``["time_scale"]`` (seconds) and, where
        there are several, ``["subject"]`` and ``["session"]`` (of a subject).
    models : mapping of name to rsatoolbox.rdm.RDMs
        Per model one RDM for every (metric, time scale) of the data, or a single RDM without a time scale, which is
        then used at every one; of several network instances, the same for every ``rdm_descriptors["seed"]``.
    by : Measure
        ``Spearman()``, ``SpearmanRhoA()`` (models that predict ties), ``Pearson()``, ``Cosine()``, ``KendallTauA()``.
    seed : int
        Of the resamples and relabellings; the same for all models and time scales, so that they can be compared.
    replicates : Replicates, optional
        RDMs of resampled trials and of split halves of one recording.
    unit_halves : UnitHalves, optional
        RDMs of split halves of the units of one recording, for a ceiling of another sample of units.
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
    measure = similarity_measure(by)
    whole_number("seed", seed, 0)
    whole_number("n_resamples", n_resamples, FEWEST_RESAMPLES)
    _check_kinds(replicates, unit_halves)
    aligned = align(data, models)
    _check_one_recording(aligned, replicates=replicates, unit_halves=unit_halves)
    resampling_seed, relabelling_seed = np.random.SeedSequence(seed).generate_state(2).tolist()
    relabelled = relabellings(len(aligned.conditions), relabelling_seed)
    repeatable = not measure.no_bootstrap
    resampling = choose_resampling(aligned, replicates, n_resamples, resampling_seed, conditions=repeatable)
    spread = None if resampling is None else resampling.spread(aligned, measure)
    estimates = Estimates.of(aligned, measure, relabelled.p_values(aligned, measure), spread)
    ceilings = noise_ceilings(aligned, measure, replicates, unit_halves)
    ceiling = ceilings[0] if ceilings else None
    table = model_table(estimates, ceiling)
    return Result(
        table=table,
        differences=difference_table(estimates),
        measure=measure,
        resampled=resampled_words(resampling, aligned),
        statements=statements(aligned, relabelled, resampling, ceilings, table, measure=measure, replicates=replicates),
        seed=int(seed),
        provenance=_provenance(aligned, measure, seed, n_resamples),
        ceiling=ceiling,
        ceilings=ceilings,
        resamples=None if spread is None else labelled_resamples(spread.samples, table),
    )


def _check_kinds(replicates: object, unit_halves: object) -> None:
    from snncompare.representation.repeats.replicates import Replicates
    from snncompare.representation.unit_halves import UnitHalves

    if replicates is not None:
        instance(replicates, Replicates, "replicates", "what sc.replicates(distances, conditions) returns")
    if unit_halves is not None:
        instance(unit_halves, UnitHalves, "unit_halves", "what unit_halves(recording, metric, by) returns")


def _check_one_recording(aligned: Aligned, **given: "Replicates | UnitHalves | None") -> None:
    for name, value in given.items():
        what = "trials" if name == "replicates" else "units"
        if value is not None and len(aligned.subjects) > 1:
            raise InputError(
                f"{name} describe the {what} of one animal, the data hold {len(aligned.subjects)}; leave them out, or "
                "compare one animal at a time."
            )
        if value is not None and aligned.recordings.several:
            raise InputError(
                f"{name} describe the {what} of one session, the data hold {aligned.recordings.n_members}; leave them "
                "out, or compare one session at a time."
            )


def _provenance(aligned: Aligned, measure: Measure, seed: int, n_resamples: int) -> dict[str, Any]:
    from snncompare.provenance import collect

    return collect(
        seed=int(seed),
        measure=type(measure).__name__,
        n_resamples=int(n_resamples),
        models=list(aligned.names),
        conditions=[str(condition) for condition in aligned.conditions],
        subjects=[str(subject) for subject in aligned.subjects if subject != ""],
        sessions=[] if aligned.sessions is None else [str(session) for session in aligned.sessions.labels],
        seeds={} if aligned.seeds is None else _seeds(aligned),
    )


def _seeds(aligned: Aligned) -> dict[str, list[str]]:
    each = aligned.instances
    labels = each.labels or ("",) * each.n_members
    return {
        name: [str(label) for label, owner in zip(labels, each.owner, strict=True) if owner == k and label != ""]
        for k, name in enumerate(aligned.names)
    }
