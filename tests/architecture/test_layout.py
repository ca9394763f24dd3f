"""Every file is where its kind belongs, short, documented, and says what it offers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_LINES = 400
MODULES = sorted((ROOT / "snncompare").rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "analyses").rglob("*.py"))]


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _python_in(folder):
    return sorted(
        _name(path) for pattern in ("*.py", "*.pyi", "*.ipynb", "*.so") for path in (ROOT / folder).rglob(pattern)
    )


def test_there_is_something_to_check():
    assert len(MODULES) > 100
    assert len(SOURCES) > 150


@pytest.mark.parametrize("folder", ["datasets", "pipelines"])
def test_cards_and_pipelines_hold_no_python(folder):
    assert (ROOT / folder).is_dir()
    assert _python_in(folder) == []


def test_analyses_hold_one_script_a_folder():
    assert [name for name in _python_in("analyses") if name.count("/") != 2 or not name.endswith("/run.py")] == []


def test_tests_are_no_packages_and_their_names_are_unique():
    files = [path for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert not any(path.name == "__init__.py" for path in files)
    assert len({path.name for path in files}) == len(files)


def test_every_folder_of_the_package_is_a_package():
    folders = {path.parent for path in MODULES}
    assert [_name(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("folder", ["datasets", "analyses", "pipelines", "tests"])
def test_a_top_level_folder_cannot_be_imported(folder, tmp_path):
    """From anywhere but the checkout itself: the editable installation offers the package only."""
    code = f"import importlib.util; found = importlib.util.find_spec('{folder}'); print(found and found.origin)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    origin = done.stdout.strip()
    assert origin == "None" or not Path(origin).is_relative_to(ROOT)
    assert _places(folder, tmp_path) == []


def _places(folder, where):
    """Return the folders of the checkout in which the name would be looked for."""
    code = (
        "import importlib.util; "
        f"found = importlib.util.find_spec('{folder}'); "
        "print(*(found.submodule_search_locations or ()) if found else (), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=where, capture_output=True, text=True, check=True)
    return [place for place in done.stdout.splitlines() if Path(place).is_relative_to(ROOT)]


def test_the_search_for_importable_folders_can_find_one():
    """Negative control: started in the checkout, Python does find the folder."""
    assert _places("analyses", ROOT) == [str(ROOT / "analyses")]


@pytest.mark.parametrize("folder", ["datasets", "analyses", "pipelines", "tests"])
def test_a_package_of_the_same_name_elsewhere_wins_over_the_folder(folder, tmp_path):
    (tmp_path / "elsewhere" / folder).mkdir(parents=True)
    (tmp_path / "elsewhere" / folder / "__init__.py").write_text("mine = False\n")
    code = f"import sys; sys.path.append('elsewhere'); import {folder} as found; print(found.mine, found.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", str(tmp_path / "elsewhere" / folder / "__init__.py")]


def _too_long(paths):
    return {path.name: n for path in paths if (n := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES}


def test_no_file_is_longer_than_four_hundred_lines(tmp_path):
    assert _too_long(SOURCES) == {}
    (tmp_path / "long.py").write_text("x = 1\n" * 401)
    assert _too_long([tmp_path / "long.py"]) == {"long.py": 401}


def _offered(tree):
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return node.value
    return None


def _faults(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    faults = []
    if not ast.get_docstring(tree):
        faults.append("no docstring")
    if path.name not in ("__init__.py", "__main__.py") and _offered(tree) is None:
        faults.append("no __all__")
    if path.name == "__init__.py" and path.parent != ROOT / "snncompare":
        others = [node for node in tree.body[1:] if not isinstance(node, ast.ImportFrom) and _offered(tree) is None]
        faults += [f"code in __init__.py: {ast.unparse(node)[:40]}" for node in others]
    if any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree)):
        faults.append("a relative import")
    if {"utils", "util", "helpers", "helper", "misc", "common"} & set(path.with_suffix("").parts[-2:]):
        faults.append("a name that says nothing")
    return faults


def test_every_module_says_what_it_is_and_what_it_offers():
    assert {_name(path): faults for path in MODULES if (faults := _faults(path))} == {}


def test_a_module_that_says_nothing_is_found(tmp_path):
    path = tmp_path / "utils.py"
    path.write_text("from . import x\n")
    assert _faults(path) == ["no docstring", "no __all__", "a relative import", "a name that says nothing"]


def test_what_a_module_offers_is_defined_or_named_in_it_and_public():
    wrong = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        offered = _offered(tree)
        if not isinstance(offered, ast.List | ast.Tuple) or path.name == "__init__.py":
            continue
        defined = {name for node in tree.body for name in _defined(node)}
        names = [ast.literal_eval(item) for item in offered.elts]
        wrong += [f"{_name(path)}: {name}" for name in names if name not in defined or name.startswith("_")]
    assert wrong == []


def _defined(node):
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.If(body=body, orelse=other):
            return [name for inner in [*body, *other] for name in _defined(inner)]
        case ast.ImportFrom(names=names):
            return [alias.asname for alias in names if alias.asname]
    return []
