"""Every encoder by name, and the values encoders are made of: the table that cards and configurations choose from."""

from collections.abc import Mapping
from typing import Any

from snncompare.encoding.description import made
from snncompare.encoding.encoder import Encoder
from snncompare.errors import InputError

__all__ = ["KINDS", "encoder"]

KINDS = {
    "Afferent": "snncompare.encoding.tactile.afferents",
    "AuditoryNerve": "snncompare.encoding.auditory.auditory_nerve",
    "BurstCode": "snncompare.encoding.codes.burst",
    "BushyCells": "snncompare.encoding.auditory.bushy_cells",
    "ChargingLatency": "snncompare.encoding.codes.latency_laws",
    "Cones": "snncompare.encoding.visual.cones",
    "ContrastGainControl": "snncompare.encoding.visual.temporal_filter",
    "DualResonance": "snncompare.encoding.auditory.basilar_membrane",
    "EventCamera": "snncompare.encoding.visual.event_camera",
    "FibreType": "snncompare.encoding.auditory.fibres",
    "Fixation": "snncompare.encoding.visual.eye_movements",
    "Flash": "snncompare.encoding.visual.eye_movements",
    "Gammachirp": "snncompare.encoding.auditory.basilar_membrane",
    "Gammatone": "snncompare.encoding.auditory.basilar_membrane",
    "GanglionCells": "snncompare.encoding.visual.ganglion_cells",
    "HairCell": "snncompare.encoding.auditory.hair_cell",
    "Heidelberg": "snncompare.encoding.auditory.heidelberg",
    "IntegrateAndFire": "snncompare.encoding.visual.spiking",
    "LGN": "snncompare.encoding.visual.lgn",
    "LatencyCode": "snncompare.encoding.codes.latency",
    "LatencyRateMixture": "snncompare.encoding.codes.latency_rate_mixture",
    "LevelCrossing": "snncompare.encoding.level_crossing",
    "LinearLatency": "snncompare.encoding.codes.latency_laws",
    "LogarithmicLatency": "snncompare.encoding.codes.latency_laws",
    "MeddisHairCell": "snncompare.encoding.auditory.heidelberg_hair_cell",
    "Mosaic": "snncompare.encoding.visual.mosaic",
    "PC": "snncompare.encoding.tactile.afferents",
    "PhaseCode": "snncompare.encoding.codes.phase",
    "PoissonSpiking": "snncompare.encoding.visual.spiking",
    "PoolingBushyCell": "snncompare.encoding.auditory.heidelberg_bushy_cell",
    "PopulationCode": "snncompare.encoding.codes.population",
    "PowerLatency": "snncompare.encoding.codes.latency_laws",
    "ProjectionNeurons": "snncompare.encoding.olfactory.projection_neurons",
    "RA1": "snncompare.encoding.tactile.afferents",
    "RankOrderCode": "snncompare.encoding.codes.rank_order",
    "RateCode": "snncompare.encoding.codes.rate",
    "ReceptiveField": "snncompare.encoding.visual.receptive_field",
    "ReceptorNeurons": "snncompare.encoding.olfactory.receptor_neurons",
    "ReceptorPopulation": "snncompare.encoding.receptors",
    "Refractoriness": "snncompare.encoding.auditory.fibres",
    "Retina": "snncompare.encoding.visual.retina",
    "SA1": "snncompare.encoding.tactile.afferents",
    "Saccades": "snncompare.encoding.visual.eye_movements",
    "Static": "snncompare.encoding.visual.eye_movements",
    "Synapse": "snncompare.encoding.auditory.synapse",
    "TemporalFilter": "snncompare.encoding.visual.temporal_filter",
    "TimeToFirstSpike": "snncompare.encoding.codes.first_spike",
    "TouchAfferents": "snncompare.encoding.tactile.touch",
    "TravellingWave": "snncompare.encoding.auditory.travelling_wave",
    "Viewed": "snncompare.encoding.visual.viewed",
    "WhiskerAfferents": "snncompare.encoding.whisker",
}
"""Name of a class -> the module it stands in."""


def encoder(data: Mapping[str, Any]) -> Encoder:
    """Return the encoder that plain data describe: ``{"kind": "ReceptorPopulation", "size": 20}``.

    Raises
    ------
    InputError
        For a kind that does not exist or is no encoder, parameters it has not, or values it refuses.
    """
    value = made(data, KINDS, "encoder")
    if not isinstance(value, Encoder):
        raise InputError(f"an encoder is described by its kind and parameters, got {dict(data)!r:.100}.")
    return value
