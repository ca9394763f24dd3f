"""Everything the demo fixes in advance, in one place; written into its report."""

from typing import Annotated

from pydantic import Field

from snncompare.values import Value

__all__ = ["DemoSettings"]


class DemoSettings(Value):
    """What is trained, how the animal's sounds are cut, and at which precisions the spikes are compared."""

    dt: str = "0.5 ms"
    receptors: Annotated[int, Field(gt=0)] = 40
    hidden: Annotated[int, Field(gt=0)] = 100
    songs: Annotated[int, Field(gt=1)] = 8
    presentations_per_song: Annotated[int, Field(gt=2)] = 150
    song_duration: str = "100 ms"
    song_similarity: Annotated[float, Field(gt=0, lt=1)] = 0.9
    held_out_fraction: Annotated[float, Field(gt=0, lt=1)] = 1 / 3
    epochs: Annotated[int, Field(gt=0)] = 40
    batch_size: Annotated[int, Field(gt=0)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 0.05
    window: str = "200 ms"
    time_scales: tuple[str, ...] = ("1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms")
    resamples: Annotated[int, Field(ge=50)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0
