"""Every encoder that a card can name: made with its defaults, it fires in order, within its window, reproducibly."""

import dataclasses
from functools import cache
from importlib import import_module

import numpy as np
import pytest

from snncompare.encoding.auditory.auditory_nerve import AuditoryNerve
from snncompare.encoding.catalogue import KINDS, encoder
from snncompare.encoding.encoder import Encoder
from snncompare.encoding.stimuli import Features, Image, Movie, Signal, Sound
from snncompare.encoding.visual.event_camera import EventCamera

CLASSES = {name: getattr(import_module(module), name) for name, module in KINDS.items()}
ENCODERS = sorted(name for name, kind in CLASSES.items() if issubclass(kind, Encoder))

REQUIRED = {"LevelCrossing": {"step": 0.1}, "Viewed": {"encoder": EventCamera()}}
"""Fields without a default."""

SMALLER = {
    "AuditoryNerve": {"n_channels": 6},
    "BushyCells": {"nerve": AuditoryNerve(n_channels=8, fibres_per_channel=(6, 6, 18))},
    "Heidelberg": {"n_channels": 8},
}
"""Beside the defaults, so that the file takes seconds."""

WITHOUT_NOISE = {"BurstCode", "LatencyCode", "LevelCrossing", "PhaseCode", "PopulationCode", "RankOrderCode"}
"""With their defaults: the same spikes for every seed."""


@cache
def stimulus(kind: type, name: str) -> object:
    """Return a small stimulus of a kind that makes units fire."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.0, 1.0, 100)
    wave = np.sin(2 * np.pi * 10 * np.arange(1600) / 8000.0)
    if kind is Sound:
        return Sound(0.5 * np.sin(2 * np.pi * 1000.0 * np.arange(1600) / 16000.0), "16 kHz")
    if kind is Image:
        return Image(rng.random((6, 6)), 0.2)
    if kind is Movie:
        return Movie(rng.random((30, 8, 8)), "100 Hz", 0.25)
    if kind is Features:
        return Features(ramp[::20])
    values = {
        "LevelCrossing": wave[np.newaxis],
        "ProjectionNeurons": np.full((24, 1600), 0.02),
        "ReceptorNeurons": np.full((24, 1600), 0.02),
        "ReceptorPopulation": np.abs(wave)[np.newaxis],
        "TouchAfferents": 0.5 + 0.5 * wave[np.newaxis],
        "WhiskerAfferents": 5.0 * np.stack([wave, -wave]),
    }
    return Signal(values[name], "8 kHz")


def made(name: str) -> Encoder:
    """Return an encoder with its defaults, or smaller where those are large."""
    return CLASSES[name](**REQUIRED.get(name, {}), **SMALLER.get(name, {}))


def fired(encoder: Encoder, name: str, seed: int = 0):
    takes = encoder.takes[0] if isinstance(encoder.takes, tuple) else encoder.takes
    return encoder.encode([stimulus(takes, name)], seed=seed)


def test_the_catalogue_names_every_encoder():
    """Control of the lists above: each kind that is used here exists, and parts of encoders are left out."""
    assert len(ENCODERS) >= 19
    assert "Mosaic" not in ENCODERS
    assert set(ENCODERS) >= {*REQUIRED, *SMALLER, *WITHOUT_NOISE}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_made_with_its_defaults(name):
    kind = CLASSES[name]
    required = [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if issubclass(kind, Encoder):
        assert set(required) == set(REQUIRED.get(name, {}))
        kind(**REQUIRED.get(name, {}))
    elif not required:
        kind()


@pytest.mark.parametrize("name", ENCODERS)
def test_spikes_are_in_order_within_the_window_and_reproducible(name):
    one = made(name)
    recording = fired(one, name)
    takes = one.takes[0] if isinstance(one.takes, tuple) else one.takes
    units, duration = one.units(stimulus(takes, name)), one.duration(stimulus(takes, name))
    assert units.index.is_unique
    assert recording.units.equals(units)
    assert len(recording.offsets) == len(units) + 1
    assert recording.times.size > 0
    assert 0.0 <= recording.times.min() <= recording.times.max() <= duration
    assert all((np.diff(train) >= 0).all() for train in np.split(recording.times, recording.offsets[1:-1]))
    again = fired(encoder(one.described()), name)
    assert encoder(one.described()) == one
    assert again.times.tobytes() == recording.times.tobytes()
    assert again.offsets.tobytes() == recording.offsets.tobytes()
    other = fired(one, name, seed=1)
    assert (other.times.tobytes() == recording.times.tobytes()) == (name in WITHOUT_NOISE)
