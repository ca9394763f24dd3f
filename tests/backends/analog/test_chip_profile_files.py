"""Profiles are read from files that strangers may write: every number has evidence and source, or is refused by name."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from snncompare.backends.analog.profiles.catalogue import chip_profiles
from snncompare.backends.analog.profiles.evidence import EVIDENCE, Stated
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.errors import DescriptionError, FileError, InputError

NAMES = sorted(chip_profiles())
PLAIN = {"schema": 1, "name": "mine", "version": "1.0", "kind": "analog"}
NUMBER = {"value": 0.1, "evidence": "data", "source": "my table"}
GRID = {"name": "WeightGrid", "numbers": {"levels": NUMBER | {"value": 9}}}


def written(tmp_path: Path, **more: object) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(PLAIN | more), encoding="utf-8")
    return path


def role(name: str, **ends: tuple[float, str]) -> dict[str, object]:
    """Return the range of one role."""
    there = {end: NUMBER | {"value": value, "unit": unit} for end, (value, unit) in ends.items()}
    return {"parameters": {name: there}}


def converter(**changed: float) -> dict[str, object]:
    """Return a read-out with some numbers changed."""
    given = {"bits": 8, "gain": 45, "offset": 80, "low": 30, "high": 210} | changed
    return {name: NUMBER | {"value": value} for name, value in given.items()}


def refusal(path: Path) -> str:
    with pytest.raises((DescriptionError, FileError)) as caught:
        ChipProfile.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message.removeprefix(str(path))


def numbers(there: object, path: str = "") -> list[tuple[str, dict[str, object]]]:
    """Return every number that a file states, with its path."""
    if isinstance(there, dict) and "value" in there:
        return [(path, there)]
    if isinstance(there, dict):
        return [pair for name, inner in there.items() for pair in numbers(inner, f"{path}.{name}".strip("."))]
    if isinstance(there, bool) or path in ("schema", "version"):
        return []
    return [(path, {})] if isinstance(there, int | float) else []


def test_all_profiles_of_the_contract_are_there():
    contract = {"ideal", "plain", "bss2_calibrated", "bss2_uncalibrated", "bss2_delgrad", "dynapse", "loihi", "xylo"}
    assert contract | {"speck"} == set(NAMES)
    assert all(len(title) > 20 for title in chip_profiles().values())


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_shipped_profile_has_evidence_and_source(name):
    plain = yaml.safe_load((files("snncompare.backends.analog") / "profiles" / f"{name}.yaml").read_text("utf-8"))
    for path, number in numbers(plain):
        assert number.get("evidence") in EVIDENCE, path
        assert len(str(number.get("source", ""))) > 10, path
    if name not in ("ideal", "plain"):
        assert len(numbers(plain)) > 3


def test_the_search_for_bare_numbers_finds_one():
    assert numbers({"weights": {"bits": 6}}) == [("weights.bits", {})]


@pytest.mark.parametrize("name", NAMES)
def test_no_shipped_number_is_set_by_a_user_and_assumptions_say_so(name):
    for path, number in numbers(ChipProfile.load(name).plain()):
        assert number["evidence"] != "user", path
        if "No published" in str(number["source"]) or "Not measured" in str(number["source"]):
            assert number["evidence"] == "assumption", path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", [".yaml", ".json"])
def test_a_profile_comes_back_from_its_file_unchanged(name, ending, tmp_path):
    profile = ChipProfile.load(name)
    again = ChipProfile.load(profile.save(tmp_path / f"copy{ending}"))
    assert again == profile
    assert again.fingerprint() == profile.fingerprint()


def test_the_hash_tells_numbers_and_sources_apart():
    profile = ChipProfile.load("bss2_calibrated")
    other = profile.changed(**{"noise.event_loss": 0.01})
    assert len({profile.fingerprint(), other.fingerprint(), ChipProfile.load("bss2_delgrad").fingerprint()}) == 3
    assert profile.fingerprint() == ChipProfile.load("bss2_calibrated").fingerprint()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(0.1, "bare number", id="bare"),
        pytest.param({"value": 0.1, "source": "my table"}, "has no evidence", id="no evidence"),
        pytest.param({"value": 0.1, "evidence": "data"}, "has no source", id="no source"),
        pytest.param({"value": 0.1, "evidence": "data", "source": ""}, "has no source", id="empty source"),
        pytest.param(NUMBER | {"evidence": "dat"}, "did you mean 'data'?", id="misspelt evidence"),
        pytest.param(NUMBER | {"value": True}, "a number is needed", id="boolean"),
        pytest.param(NUMBER | {"value": float("nan")}, "finite", id="not finite"),
        pytest.param(NUMBER | {"value": -0.1}, "lies from 0 to 10, got -0.1; nearest 0", id="negative spread"),
        pytest.param(NUMBER | {"unit": "mV"}, "change the unit 'mV'", id="unit of a plain number"),
        pytest.param(NUMBER | {"unit": "parsec"}, "no unit 'parsec'", id="unknown unit"),
    ],
)
def test_a_number_that_nobody_stands_for_is_refused_by_name(number, expected, tmp_path):
    message = refusal(written(tmp_path, weights={"cv": number}))
    assert "'weights.cv" in message
    assert expected in message


def test_a_number_with_evidence_and_source_is_accepted(tmp_path):
    assert ChipProfile.load(written(tmp_path, weights={"cv": NUMBER})).weights.cv.value == 0.1


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({"weigths": {}}, "no key 'weigths'; did you mean 'weights'?", id="section"),
        pytest.param({"weights": {"bitts": NUMBER}}, "'weights': no key 'bitts'; did you mean 'bits'?", id="field"),
        pytest.param({"parameters": {"treshold": {}}}, "did you mean 'threshold'?", id="role"),
        pytest.param({"kind": "analogue"}, "did you mean 'analog'?", id="kind"),
        pytest.param({"schema": 2}, "schema 2 is not known; this version reads schema: 1", id="schema"),
        pytest.param({"name": "my chip"}, "'name'", id="name"),
        pytest.param({"parameters": {"threshold": {"cv": NUMBER}}}, "give sd_fraction", id="cv of a potential"),
        pytest.param({"parameters": {"refractory": {"sd_fraction": NUMBER}}}, "give cv", id="potential of a time"),
        pytest.param({"weights": {"bits": NUMBER | {"value": 6.5}}}, "nearest 6", id="half a bit"),
        pytest.param({"weights": {"scale": "biggest"}}, "scale is 'largest' or a number", id="scale"),
        pytest.param({"weights": {"scale": NUMBER}}, "unit 'LSB'", id="scale without unit"),
        pytest.param({"readout": {"bits": NUMBER | {"value": 8}}}, "gain", id="converter without gain"),
        pytest.param({"saturation": {"current": NUMBER | {"unit": "mV"}}}, "unit 'threshold'", id="saturation"),
        pytest.param({"readout": {"period": NUMBER}}, "a time such as", id="period without unit"),
        pytest.param({"weights": {"distribution": "contaminated", "cv": NUMBER}}, "tail", id="no tail"),
        pytest.param(
            {"weights": {"distribution": "contaminated", "cv": NUMBER, "tail": {"ratio": NUMBER | {"value": 5}}}},
            "fraction between 0 and 1",
            id="tail without fraction",
        ),
        pytest.param(role("membrane_time_constant", low=(5, "mV")), "low' is a time from 0 on", id="time in mV"),
        pytest.param(role("membrane_time_constant", high=(0.5, "")), "high' is a time from 0 on", id="bare time"),
        pytest.param(role("refractory", target=(-1, "us")), "target' is a time from 0 on", id="negative time"),
        pytest.param(role("refractory", low=(1, "step"), high=(9, "us")), "measured alike", id="steps and times"),
        pytest.param(role("threshold", low=(5, "ms")), "unit: LSB; got '5 ms'", id="potential in ms"),
        pytest.param(
            {"parameters": {"threshold": {"distribution": "log_normal"}}}, "student", id="factor of potential"
        ),
        pytest.param(
            {
                "parameters": role("leak", target=(80, "LSB"))["parameters"]
                | role("threshold", target=(80, "LSB"))["parameters"]
            },
            "must lie above that of 'leak'",
            id="threshold at the leak",
        ),
        pytest.param({"quantisers": {"treshold": GRID}}, "did you mean 'threshold'?", id="role of a quantiser"),
        pytest.param(
            {"quantisers": {"refractory": {"name": "WholeStep"}}}, "did you mean 'WholeSteps'?", id="quantiser"
        ),
        pytest.param({"quantisers": {"threshold": {"name": "WeightGrid"}}}, "give its number 'levels'", id="no levels"),
        pytest.param({"quantisers": {"refractory": GRID}}, "is of potentials", id="quantiser of another role"),
        pytest.param(
            {"quantisers": {"threshold": GRID | {"numbers": {"levels": NUMBER | {"value": 9, "unit": "mV"}}}}},
            "change the unit 'mV'",
            id="unit of a quantiser",
        ),
        pytest.param({"weights": {"low": NUMBER | {"value": 200}}}, "at most 0, got '200'", id="lowest weight"),
        pytest.param({"neurons": {"failed_spread": NUMBER | {"value": -3}}}, "nearest 1", id="failed spread"),
        pytest.param({"readout": converter(gain=0)}, "gain must be above zero", id="no gain"),
        pytest.param({"readout": converter(low=210, high=30)}, "low must lie below high", id="converter upside down"),
        pytest.param({"readout": converter(high=256)}, "from 0 to 2**bits - 1 = 255", id="beyond the converter"),
        pytest.param({"saturation": {"shape": "tanh"}}, "shape", id="saturation that does not exist"),
        pytest.param({"kind": "ideal", "noise": {"membrane": NUMBER}}, "start from 'plain'", id="ideal with noise"),
        pytest.param(
            {"kind": "ideal", "weights": {"cv": NUMBER}}, "weights of 'mine' are not", id="ideal with mismatch"
        ),
    ],
)
def test_what_a_file_may_not_say_is_refused_in_one_line(more, expected, tmp_path):
    assert expected in refusal(written(tmp_path, **more))


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(role("membrane_time_constant", low=(5, "us"), high=(9, "us")), id="times"),
        pytest.param(role("refractory", low=(1, "step"), high=(9, "step")), id="steps"),
        pytest.param(role("threshold", low=(5, "LSB"), target=(6, "LSB")), id="potentials"),
        pytest.param({"parameters": {"threshold": {"distribution": "gaussian"}}}, id="distribution"),
        pytest.param({"parameters": {"threshold": {"sd_fraction": NUMBER}}}, id="no distribution said"),
        pytest.param({"quantisers": {"threshold": GRID}}, id="quantiser"),
        pytest.param({"readout": converter()}, id="converter"),
        pytest.param({"readout": converter(low=0, high=255)}, id="full range"),
        pytest.param({"weights": {"low": NUMBER | {"value": 0}}}, id="weights from zero"),
        pytest.param({"neurons": {"failed_spread": NUMBER | {"value": 1}}}, id="failed as all others"),
        pytest.param({"saturation": {"shape": "clip"}}, id="saturation"),
        pytest.param({"kind": "ideal", "noise": {"membrane": NUMBER | {"value": 0}}}, id="ideal"),
    ],
)
def test_the_neighbours_of_what_is_refused_are_read_and_come_back(more, tmp_path):
    profile = ChipProfile.load(written(tmp_path, **more))
    assert ChipProfile.parse(profile.plain(), "again") == profile


def test_low_target_and_high_must_be_in_order(tmp_path):
    def limits(low: float, high: float) -> dict[str, object]:
        edges = {"low": low, "high": high}
        return {"refractory": {k: NUMBER | {"value": v, "unit": "us"} for k, v in edges.items()}}

    assert ChipProfile.load(written(tmp_path, parameters=limits(1, 2))).bounds("refractory") == (1e-6, 2e-6)
    assert "low <= target <= high" in refusal(written(tmp_path, parameters=limits(3, 2)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("name: [", "cannot be read as YAML", id="malformed"),
        pytest.param("name: a\nname: b", "twice", id="key twice"),
        pytest.param("!!python/object/apply:os.system ['true']", "cannot be read as YAML", id="object"),
        pytest.param("- 1\n- 2", "expected keys and values", id="list"),
    ],
)
def test_malformed_files_are_refused(text, expected, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    assert expected in refusal(path)


def test_unknown_profiles_name_the_nearest():
    with pytest.raises(InputError, match="did you mean 'bss2_calibrated'") as caught:
        ChipProfile.load("bss2_calibratd")
    assert "'dynapse'" in str(caught.value)
    with pytest.raises(FileError, match=r"no chip profile 'elsewhere/mine\.yaml'"):
        ChipProfile.load("elsewhere/mine.yaml")
    with pytest.raises(InputError, match="by name or path, got int"):
        ChipProfile.load(3)  # type: ignore[arg-type]


def test_the_schema_of_profiles_is_json():
    schema = json.loads(json.dumps(ChipProfile.json_schema()))
    assert {"weights", "noise", "schema"} <= set(schema["properties"])


def test_a_missing_imperfection_reads_as_perfect_and_says_so():
    perfect = ChipProfile.load("plain").weights.cv
    assert isinstance(perfect, Stated)
    assert (perfect.value, perfect.evidence) == (0.0, "assumption")
    assert "not emulated" in perfect.source
