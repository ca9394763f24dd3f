"""The command line: parse arguments, run a verb, print one line for a user's mistake, exit 0, 2 or 1."""

import argparse
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from snncompare import __version__
from snncompare.errors import InputError, SnncompareError, TimeStepWarning, unknown

__all__ = ["main"]

OURS, USERS, INTERRUPTED = 1, 2, 130


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
        0; 2 for the user's mistake, with one line on stderr; 1 for ours, with the traceback; 130 when interrupted.
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
    _verb(verbs, "backends", _backends, "list what can run networks here")
    _verb(verbs, "schema", _schema, "print the JSON Schema of network files, for editors")
    return parser, list(verbs.choices)


def _verb(
    verbs: "argparse._SubParsersAction[_Parser]", name: str, run: Callable[[argparse.Namespace], None], what: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder for what is written")
    parser.add_argument(
        "--seed", metavar="N", type=_seed, help="of everything random (default: the configuration's, or 0)"
    )
    parser.set_defaults(run=run)
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 on, got '{text}'")
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
    from snncompare.commands.compare import run_compare

    _print(run_compare(arguments.config, arguments.out, arguments.seed, _say))


def _backends(arguments: argparse.Namespace) -> None:
    from snncompare.commands.backends import list_backends

    _print(list_backends(arguments.out))


def _schema(arguments: argparse.Namespace) -> None:
    from snncompare.commands.schema import network_schema

    _print(network_schema(arguments.out))
