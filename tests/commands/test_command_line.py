import subprocess
import sys
import warnings

import pytest

from snncompare import __version__, cli
from snncompare.errors import InputError, TimeStepWarning

PYTHON = (sys.executable, "-m", "snncompare")
HEAVY = ("brian2", "matplotlib", "neo", "numba", "numpy", "pandas", "pydantic", "rsatoolbox", "torch", "xarray")


def run(*arguments):
    return subprocess.run([*PYTHON, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_help_names_every_verb_and_imports_nothing_heavy():
    found = run("--help")
    assert found.returncode == 0
    assert all(verb in found.stdout for verb in ("demo", "inspect", "compare", "backends"))
    code = "import sys; from snncompare.cli import main; main(['--help']); print([m for m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not [name for name in HEAVY if f"'{name}'" in loaded]


def test_a_mistake_on_the_real_command_line_is_one_line_and_exit_code_2(tmp_path):
    found = run("inspect", str(tmp_path / "absent.nwb"))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.splitlines() == [f"snncompare: there is no file '{tmp_path / 'absent.nwb'}'; check the path."]


_WARNS = """
import sys, warnings
from snncompare import cli
from snncompare.commands import backends
from snncompare.errors import TimeStepWarning
def verb(out):
    warnings.warn("of another package", FutureWarning)
    warnings.warn("too coarse", TimeStepWarning)
    return "done"
backends.list_backends = verb
sys.argv = ["snncompare", "backends"]
sys.exit(cli.main())
"""


def test_warnings_of_other_packages_do_not_reach_the_user():
    quiet, asked = (
        subprocess.run([sys.executable, *options, "-c", _WARNS], capture_output=True, text=True, check=False)
        for options in ([], ["-W", "default"])
    )
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "done\n", "snncompare: too coarse\n")
    assert "of another package" in asked.stderr  # control: they are there, for whoever asks for them


def test_version_is_printed(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"snncompare {__version__}\n"


def test_without_a_verb_the_help_is_shown(capsys):
    assert cli.main([]) == 0
    assert "VERB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["comapre"], "did you mean 'compare'?"),
        (["compare"], "required: CONFIG.yaml"),
        (["compare", "c.yaml", "--seed", "-3"], "--seed"),
        (["compare", "c.yaml", "--seed", "x"], "whole number"),
        (["compare", "c.yaml", "--nope"], "--nope"),
        (["--nope"], "VERB"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(refused, arguments, says):
    assert says in refused(*arguments)


@pytest.mark.parametrize(
    ("raised", "code", "traceback"),
    [(InputError("no"), 2, False), (RuntimeError("ours"), 1, True), (KeyboardInterrupt(), 130, False)],
)
def test_whose_mistake_it_is_decides_the_exit_code(monkeypatch, capsys, raised, code, traceback):
    def fail(_):
        raise raised

    monkeypatch.setattr(cli, "_backends", fail)
    assert cli.main(["backends"]) == code
    said = capsys.readouterr().err
    assert said.startswith("snncompare: ")
    assert ("Traceback" in said) is traceback


def test_backends_says_which_can_be_used(capsys, tmp_path):
    assert cli.main(["backends", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "torch: ready" in said
    assert "brian2: ready" in said
    assert (tmp_path / "backends.json").is_file()


def test_a_backend_whose_simulator_is_missing_is_listed_with_the_reason(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "snncompare.backends.torch.backend", None)
    monkeypatch.delitem(sys.modules, "snncompare.backends.torch", raising=False)
    assert cli.main(["backends"]) == 0
    assert "torch: cannot be used" in capsys.readouterr().out


def test_a_warning_about_the_network_is_one_line_and_those_of_other_packages_are_none(monkeypatch, capsys):
    def verb(_out):
        warnings.warn("dt (1 ms) is longer than 'tau'", TimeStepWarning, stacklevel=1)
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
        return "done"

    monkeypatch.setattr("snncompare.commands.backends.list_backends", verb)
    monkeypatch.setattr("sys.argv", ["snncompare", "backends"])
    monkeypatch.setattr("sys.warnoptions", [])
    with warnings.catch_warnings():
        assert cli.main() == 0
    said = capsys.readouterr()
    assert said.out == "done\n"
    assert said.err == "snncompare: dt (1 ms) is longer than 'tau'\n"
