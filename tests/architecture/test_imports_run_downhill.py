"""No module needs itself to be imported, rooms import downhill, and the checks that say so can fail."""

import ast
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _imports_at_module_level(tree):
    """Yield import statements that run when the module is imported, those for type checkers left out."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += [
                child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.ExceptHandler)
            ]


def import_graph(package):
    """Return, for each module of a package folder, the modules of the package that importing it imports."""
    files = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }
    graph = {}
    for name, path in files.items():
        needed = set()
        for node in _imports_at_module_level(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                needed |= {alias.name for alias in node.names}
            elif node.module:
                needed |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        graph[name] = {other for other in needed if other in files and other != name}
    return graph


def cycle_in(graph):
    """Return the names of modules that import each other, or None."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_module_imports_itself_through_others():
    graph = import_graph(ROOT / "snncompare")
    assert len(graph) > 100
    assert sum(map(len, graph.values())) > 300
    assert cycle_in(graph) is None


def _planted(folder, **modules):
    package = folder / "planted"
    package.mkdir()
    (package / "__init__.py").write_text('"""A package for a test."""\n')
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    return package


def test_a_planted_cycle_is_found(tmp_path):
    package = _planted(
        tmp_path,
        a="from planted.b import x\n",
        b="import planted.c\n",
        c="try:\n    from planted import a\nexcept ImportError:\n    a = 1\n",
    )
    assert set(cycle_in(import_graph(package))) == {"planted.a", "planted.b", "planted.c"}


def test_imports_inside_functions_and_for_type_checkers_make_no_cycle(tmp_path):
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from planted.a import x\n"
    late = typed + "def f():\n    from planted.a import x\n"
    assert cycle_in(import_graph(_planted(tmp_path, a="from planted.b import f\n", b=late))) is None


def _lint(folder, config=None):
    pytest.importorskip("importlinter")
    code = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"
    command = [sys.executable, "-c", code, "--no-cache", *(["--config", str(config)] if config else [])]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_contracts_of_the_project_hold():
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("modules", "contract"),
    [
        ({"low": "import planted.high\n", "high": ""}, "type = 'layers'\nlayers = ['planted.high', 'planted.low']"),
        (
            {"low": "import planted.mid\n", "mid": "import brian2\n"},
            "type = 'forbidden'\nsource_modules = ['planted.low']\nforbidden_modules = ['brian2']",
        ),
        (
            {"low": "import planted.high\n", "high": "import planted.low\n"},
            "type = 'acyclic_siblings'\nancestors = ['planted']",
        ),
    ],
    ids=["layers", "forbidden", "cycles"],
)
def test_a_contract_of_each_kind_breaks_when_it_is_broken(modules, contract, tmp_path):
    _planted(tmp_path, **modules)
    config = tmp_path / "contracts.toml"
    config.write_text(
        "[tool.importlinter]\nroot_package = 'planted'\ninclude_external_packages = true\n\n"
        f"[[tool.importlinter.contracts]]\nname = 'planted'\n{contract}\n"
    )
    done = _lint(tmp_path, config)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 broken" in done.stdout


HOMES = {
    "torch": {"backends/torch", "learning"},
    "brian2": {"backends/brian2", "dynamics"},
    "neo": {"recording"},
    "pynwb": {"recording"},
    "rsatoolbox": {"representation", "comparison"},
}


@pytest.mark.parametrize("library", HOMES)
def test_a_heavy_library_is_imported_in_its_own_rooms_only(library):
    strangers = []
    for path in sorted((ROOT / "snncompare").rglob("*.py")):
        place = path.relative_to(ROOT / "snncompare").as_posix()
        if any(place.startswith(f"{home}/") for home in HOMES[library]):
            continue
        tree = _Running().visit(ast.parse(path.read_text(encoding="utf-8")))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            strangers += [place for name in names if name.split(".")[0] == library]
    assert strangers == []


class _Running(ast.NodeTransformer):
    """Leaves out what is there for type checkers only."""

    def visit_If(self, node):
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)
