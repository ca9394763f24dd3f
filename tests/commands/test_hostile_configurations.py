"""A configuration of a stranger is held to the same limits as the description of a network."""

import pytest

from snncompare.commands.compare_config import load_config
from snncompare.errors import FileError


def _bomb(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    return "\n".join(lines + [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, levels)])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_bomb(9), "with its aliases written out it has more than 1000000 characters"),
        ("a: &a [*a]", "an alias stands inside of what it stands for"),
        (
            "seed: !!python/object/apply:os.system ['touch CANARY']",
            "asks for an object, and only plain values are allowed",
        ),
        ("{" * 500, "cannot be read as YAML"),
        ("- " * 500, "nested too deeply"),
        ("seed: 0x" + "f" * 5000, "a number has more than 100 digits"),
        ("a: b\n" * 1 + "\n".join(f"k{i}: v" for i in range(20_000)), "more than 20000 keys and values"),
        ('{"seed": 1, "seed": 2}', "the key 'seed' stands twice"),
        ("", "is empty"),
    ],
    ids=range(9),
)
def test_a_hostile_configuration_is_refused_in_one_line(text, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        load_config(path)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == [path], "nothing was executed"
