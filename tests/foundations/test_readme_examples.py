"""What the README shows runs as it stands there."""

import re
from pathlib import Path

import pytest
import yaml

from snncompare.commands.compare_config import CompareConfig
from snncompare.commands.mismatch.config import MismatchConfig

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
CONFIGURATIONS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_there_is_something_to_run():
    assert len(BLOCKS) >= 2
    assert len(CONFIGURATIONS) == 2


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_python_block_runs(block, tmp_path, monkeypatch):
    pytest.importorskip("nitime")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


@pytest.mark.parametrize("kind", [CompareConfig, MismatchConfig])
def test_one_configuration_of_each_verb_is_valid(kind):
    fitting = [given for given in map(yaml.safe_load, CONFIGURATIONS) if given.keys() <= kind.model_fields.keys()]
    assert len(fitting) == 1
    kind.parse(fitting[0], "README.md")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_to_a_file(path):
    assert (ROOT / path).exists()
