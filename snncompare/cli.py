"""The command line: parse arguments, run a verb, print one line for a user's mistake, exit 0, 2 or 1."""

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from snncompare import __version__
from snncompare.errors import InputError, SnncompareError, TimeStepWarning, unknown

if TYPE_CHECKING:
    from snncompare.representation.blocks.execution import Execution

__all__ = ["main"]

OURS, USERS, INTERRUPTED = 1, 2, 130
OF_DATASETS = ("list", "show", "get", "build", "plot")
OF_HARDWARE = ("list", "check")


class _Parser(argparse.ArgumentParser):
    """Leaves the wording and the exit to `main`."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see '{self.prog} --help'.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Default: what stands after the name of the program.

    Returns
    -------
    int
        0; 2 for the user's mistake, or too little memory, with one line on stderr; 1 for ours, with the traceback; 130
        when interrupted.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    if argv is None and not sys.warnoptions:  # other packages warn about what the user can do nothing about
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", TimeStepWarning)
        warnings.showwarning = lambda message, *_: _say(str(message))
    try:
        return _run(given)
    except SnncompareError as problem:
        _say(" ".join(str(problem).split()))
        return USERS
    except MemoryError as problem:
        _say(" ".join(f"this needs more memory than there is ({problem or 'all is used'}); ask for less.".split()))
        return USERS
    except KeyboardInterrupt:
        _say("interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as problem:  # noqa: BLE001 (the outermost door: whatever is left is our mistake)
        _say(f"this is our mistake, not yours ({type(problem).__name__}); please report what follows.")
        traceback.print_exc()
        return OURS


def _run(given: list[str]) -> int:
    parser, verbs = _parser()
    verb = next((word for word in given if not word.startswith("-")), None)
    if given and not given[0].startswith("-") and verb not in verbs:
        raise InputError(f"{unknown('verb', verb, verbs)} See 'snncompare --help'.")
    for group, inner in (("dataset", OF_DATASETS), ("hardware", OF_HARDWARE)):
        if verb == group and len(given) > 1 and not given[1].startswith("-") and given[1] not in inner:
            raise InputError(f"{unknown(f'verb of {group}', given[1], inner)} See 'snncompare {group} --help'.")
    if not given:
        parser.print_help()
        return 0
    try:
        arguments = parser.parse_args(given)
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)
    run: Callable[[argparse.Namespace], None] = arguments.run
    run(arguments)
    sys.stdout.flush()
    return 0


def _parser() -> tuple[argparse.ArgumentParser, list[str]]:
    parser = _Parser(prog="snncompare", description="Compare spiking network models with recorded brains.")
    parser.add_argument("--version", action="version", version=f"snncompare {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)
    demo = _verb(verbs, "demo", _demo, "run the main job on a recording that comes along, and write its report")
    demo.set_defaults(out=Path("out/demo"))
    inspect = _verb(verbs, "inspect", _inspect, "say what is in a lab file, and print a configuration to begin with")
    inspect.add_argument("file", metavar="FILE", type=Path)
    inspect.add_argument("--time-unit", metavar="UNIT", help="of plain text files: 'ms', 'us', or a rate as '15 kHz'")
    compare = _verb(verbs, "compare", _compare, "compare models with a recording, and write tables, figures, a report")
    compare.add_argument("config", metavar="CONFIG.yaml", type=Path)
    for option, what in (("--rdms", "recordings, instead of the recording"), ("--models", "models, with --rdms")):
        compare.add_argument(option, metavar="FILE", type=Path, nargs="+", default=(), help=f"stored RDMs of {what}")
    _with_execution(compare)
    _step_verbs(verbs)
    _dataset_verbs(verbs)
    mismatch = _verb(verbs, "mismatch", _mismatch, "measure how chips with device mismatch bear a trained network")
    mismatch.add_argument("config", metavar="CONFIG.yaml", type=Path)
    mismatch.add_argument("--quick", action="store_true", help="with fewer devices, points, trials and epochs")
    _hardware_verbs(verbs)
    _verb(verbs, "backends", _backends, "list what can run networks here")
    _verb(verbs, "schema", _schema, "print the JSON Schema of network files, for editors")
    return parser, list(verbs.choices)


def _step_verbs(verbs: "argparse._SubParsersAction[_Parser]") -> None:
    """Add the verbs that do one step of a study, from files to one file."""
    plan = _verb(verbs, "plan", _plan, "check the configuration of a study, and print its steps as JSON")
    plan.add_argument("config", metavar="CONFIG.yaml", type=Path)
    rdm = _verb(verbs, "rdm", _rdm, "write the RDMs of one recording or one model to a file", file=True)
    rdm.add_argument("config", metavar="CONFIG.yaml", type=Path)
    rdm.add_argument("--recording", metavar="NAME", help="which, if the configuration names several")
    rdm.add_argument("--model", metavar="NAME", help="instead: a model of the configuration that spikes")
    _with_execution(rdm)
    figure = _verb(verbs, "figure", _figure, "draw a stored result again, as SVG, PDF and PNG with its data", file=True)
    figure.add_argument("result", metavar="RESULT", type=Path, help="folder that 'compare' wrote")
    figure.add_argument(
        "--kind", metavar="KIND", default="similarity", help="similarity (default), models, rdms or scaling"
    )
    summary = _verb(verbs, "summary", _summary, "gather stored results in a table (.csv) or report (.html)", file=True)
    summary.add_argument("results", metavar="RESULT", type=Path, nargs="+", help="folders that 'compare' wrote")


def _dataset_verbs(verbs: "argparse._SubParsersAction[_Parser]") -> None:
    """Add ``dataset`` and what can be done with datasets."""
    what = "list, show, get, build and plot datasets of spikes"
    group = verbs.add_parser("dataset", help=what, description=f"{what[0].upper()}{what[1:]}.")
    inner = group.add_subparsers(metavar="WHAT", required=True, parser_class=_Parser)
    listed = inner.add_parser("list", help="name the datasets, and say whether their files are here")
    show = inner.add_parser("show", help="print the card and the facts of a dataset")
    get = inner.add_parser("get", help="fetch the files of a dataset, its licence shown, their hashes checked")
    build = inner.add_parser("build", help="encode a dataset once, keep its spikes, and write its datasheet")
    plot = inner.add_parser("plot", help="draw the page of a dataset, and write its statistics and datasheet")
    for parser, run in (
        (listed, _dataset_list),
        (show, _dataset_show),
        (get, _dataset_get),
        (build, _dataset_build),
        (plot, _dataset_plot),
    ):
        parser.set_defaults(run=run)
    for parser in (show, get, build, plot):
        parser.add_argument("name", metavar="NAME", help="of a dataset, or the path of a card.yaml")
    for parser in (listed, show):
        parser.add_argument("--json", action="store_true", help="print JSON")
    for parser in (show, build, plot):
        parser.add_argument("--seed", metavar="N", type=_seed, help="of everything random (default: the card's)")
        parser.add_argument(
            "--set", metavar="OPTION=VALUE", action="append", default=[],
            help="change the recipe: samples.n_per_class=10, encoder.n_channels=40; may be repeated",
        )  # fmt: skip
    build.add_argument("--out", metavar="DIR", type=Path, help="folder of the spikes (default: the cache)")
    build.add_argument(
        "--workers", metavar="N", type=_workers, help="encode in N processes (default: one per processor)"
    )
    limit = "of at most N trials, evenly from the classes; all trials of their shards (of 64) are encoded"
    build.add_argument("--limit", metavar="N", type=_limit, help=limit)
    build.add_argument("--save", metavar="FILE", type=Path, help="also write the spikes: .npz, .nwb, .nix, .h5")
    build.add_argument("--metadata", metavar="FILE.yaml", type=Path, help="of the session, for --save FILE.nwb")
    plot.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for what is written")
    plot.add_argument("--quick", action="store_true", help="of fewer trials, units and time scales")
    plot.add_argument("--groups", metavar="COLUMN", help="decode labels of unseen groups, such as 'speaker'")


def _hardware_verbs(verbs: "argparse._SubParsersAction[_Parser]") -> None:
    """Add ``hardware`` and what can be asked of it."""
    what = "say which neuromorphic hardware there is"
    group = verbs.add_parser("hardware", help=what, description=f"{what[0].upper()}{what[1:]}.")
    inner = group.add_subparsers(metavar="WHAT", required=True, parser_class=_Parser)
    listed = inner.add_parser("list", help="name the adapters; no library of a vendor is imported")
    listed.add_argument("--out", metavar="DIR", type=Path, help="folder for what is written")
    listed.set_defaults(run=_hardware_list)
    check = inner.add_parser("check", help="say whether hardware can be used from here (exit code 2 if not)")
    check.add_argument("name", metavar="NAME", nargs="?", help="of an adapter (default: the first of ours)")
    check.set_defaults(run=_hardware_check)


def _verb(
    verbs: "argparse._SubParsersAction[_Parser]",
    name: str,
    run: Callable[[argparse.Namespace], None],
    what: str,
    file: bool = False,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    if file:
        parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="file that is written")
    else:
        parser.add_argument("--out", metavar="DIR", type=Path, help="folder for what is written")
    parser.add_argument(
        "--seed", metavar="N", type=_seed, help="of everything random (default: the configuration's, or 0)"
    )
    parser.set_defaults(run=run)
    return parser


def _with_execution(parser: argparse.ArgumentParser) -> None:
    """Add where distances are computed; whatever is chosen, the result is the same to the last digit."""
    parser.add_argument(
        "--workers", metavar="N", type=_workers, help="compute distances in N processes (default: here)"
    )
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="keep finished distances there; a run that was stopped goes on"
    )


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"the number of processes is a whole number from 1 on, got '{text}'")
    return int(text)


def _limit(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of trials is a whole number from 1 on, got '{text}'")
    return int(text)


def _execution(arguments: argparse.Namespace) -> "Execution | None":
    from snncompare.commands.execution import execution_of

    return execution_of(arguments.workers, arguments.cache)


def _seed(text: str) -> int:
    if not text.isdecimal() or len(text) > 19 or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to 2**63 - 1, got '{text[:40]}'")
    return int(text)


def _say(line: str) -> None:
    sys.stderr.write(f"snncompare: {line}\n")
    sys.stderr.flush()


def _print(text: object) -> None:
    sys.stdout.write(f"{text}\n")


def _demo(arguments: argparse.Namespace) -> None:
    from snncompare.commands.demo import run_demo

    _print(run_demo(arguments.out, arguments.seed or 0))


def _inspect(arguments: argparse.Namespace) -> None:
    from snncompare.commands.inspect import run_inspect

    _print(run_inspect(arguments.file, arguments.time_unit, arguments.out, arguments.seed or 0))


def _compare(arguments: argparse.Namespace) -> None:
    given, seed, execution = arguments.config, arguments.seed, _execution(arguments)
    if arguments.rdms:
        if execution is not None:
            raise InputError("--workers and --cache are for distances between trials; stored RDMs need none.")
        from snncompare.commands.compare_rdms import run_compare_rdms

        _print(run_compare_rdms(given, arguments.rdms, arguments.models, arguments.out, seed, _say))
    elif arguments.models:
        raise InputError("--models goes with --rdms; without them models are made as the configuration says.")
    else:
        from snncompare.commands.compare import run_compare

        _print(run_compare(given, arguments.out, seed, _say, execution))


def _plan(arguments: argparse.Namespace) -> None:
    from snncompare.commands.plan import run_plan

    _print(run_plan(arguments.config, arguments.out))


def _rdm(arguments: argparse.Namespace) -> None:
    from snncompare.commands.rdm import run_rdm

    which = {"recording": arguments.recording, "model": arguments.model}
    _print(run_rdm(arguments.config, arguments.out, arguments.seed, **which, say=_say, execution=_execution(arguments)))


def _figure(arguments: argparse.Namespace) -> None:
    from snncompare.commands.figure import run_figure

    _print(run_figure(arguments.result, arguments.out, arguments.kind, arguments.seed))


def _summary(arguments: argparse.Namespace) -> None:
    from snncompare.commands.summary import run_summary

    _print(run_summary(arguments.results, arguments.out, arguments.seed))


def _mismatch(arguments: argparse.Namespace) -> None:
    from snncompare.commands.mismatch.verb import run_mismatch

    _print(run_mismatch(arguments.config, arguments.out, arguments.seed, quick=arguments.quick, say=_say))


def _hardware_list(arguments: argparse.Namespace) -> None:
    from snncompare.commands.hardware import list_hardware

    _print(list_hardware(arguments.out))


def _hardware_check(arguments: argparse.Namespace) -> None:
    from snncompare.commands.hardware import check_hardware

    _print(check_hardware(arguments.name))


def _backends(arguments: argparse.Namespace) -> None:
    from snncompare.commands.backends import list_backends

    _print(list_backends(arguments.out))


def _schema(arguments: argparse.Namespace) -> None:
    from snncompare.commands.schema import network_schema

    _print(network_schema(arguments.out))


def _dataset_list(arguments: argparse.Namespace) -> None:
    from snncompare.commands.dataset.listing import list_datasets

    _print(list_datasets(arguments.json))


def _dataset_show(arguments: argparse.Namespace) -> None:
    from snncompare.commands.dataset.show import show_dataset

    _print(show_dataset(arguments.name, arguments.set, arguments.seed, arguments.json))


def _dataset_get(arguments: argparse.Namespace) -> None:
    from snncompare.commands.dataset.get import get_dataset

    _print(get_dataset(arguments.name, _say))


def _dataset_build(arguments: argparse.Namespace) -> None:
    from snncompare.commands.dataset.build import build_dataset

    which = {"workers": arguments.workers, "seed": arguments.seed, "limit": arguments.limit}
    which |= {"settings": arguments.set, "save": arguments.save, "metadata": arguments.metadata}
    _print(build_dataset(arguments.name, arguments.out, **which, say=_say))


def _dataset_plot(arguments: argparse.Namespace) -> None:
    from snncompare.commands.dataset.plot import plot_dataset

    which = {"quick": arguments.quick, "groups": arguments.groups, "seed": arguments.seed}
    _print(plot_dataset(arguments.name, arguments.out, **which, settings=arguments.set, say=_say))
