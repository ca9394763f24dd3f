"""The verb ``dataset plot``: the page of a dataset, its tables, and its datasheet."""

from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["plot_dataset"]


def plot_dataset(
    given: str,
    out: str | Path,
    *,
    quick: bool = False,
    groups: str | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the page of a dataset (PNG, PDF, SVG, CSV) and its datasheet, and return the path of the PNG.

    Parameters
    ----------
    given : str
        Name, or path of a card.
    out : path
        Folder.
    quick, groups
        See `description.describe`.
    seed, settings
        See `options.loaded`.
    say : callable
        Takes a line of progress.

    Raises
    ------
    SnncompareError
        For what does not exist, files that are not here, or a folder that cannot be written.
    """
    from snncompare.commands.dataset.description import datasheet_of, describe
    from snncompare.commands.dataset.options import loaded, written
    from snncompare.commands.result_files import made_folder
    from snncompare.figures.dataset_page import dataset_data, dataset_figure
    from snncompare.figures.save import save_figure

    dataset = loaded(given, settings, seed)
    made_folder(Path(out))
    found = describe(dataset, quick=quick, groups=groups, seed=seed or 0, say=say)
    written(Path(out), f"{dataset.name}_datasheet.md", datasheet_of(dataset, found))
    say(f"{dataset.name}: figure")
    title = None if dataset.card is None else dataset.card.title
    parts = (found.recording, dataset.label, found.statistics, found.information)
    png, *_ = save_figure(dataset_figure(*parts, title=title), dataset_data(*parts), out, dataset.name)
    return png
