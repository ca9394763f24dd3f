"""Ask how neurons of the locust antennal lobe place five odours, and what of it is there before any odour."""

import argparse
import json
import os
import shutil
import time
from pathlib import Path

import yaml

import snncompare as sc
from snncompare import cli

HERE = Path(__file__).parent
RECORDING = "neo_recordings/locust20010214_continuous.nix"
WINDOWS = {"odour": "config.yaml", "control": "control.yaml", "drift": "drift.yaml"}


def compare(name: str, inputs: Path, out: Path, quick: bool) -> sc.Result:
    """Run one configuration and return its result."""
    config = yaml.safe_load((HERE / WINDOWS[name]).read_text())
    config["resamples"] = 100 if quick else config["resamples"]
    path = inputs / WINDOWS[name]
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    if cli.main(["compare", str(path), "--out", str(out / name)]) != 0:
        raise SystemExit(f"the comparison in the window '{name}' failed")
    return sc.Result.load(out / name / "result")


def numbers(name: str, result: sc.Result) -> dict[str, dict[str, object]]:
    """Return similarities and ceilings of one window at a time constant of 100 ms."""
    rows = result.table[result.table["time_scale"].round(6) == 0.1].set_index("model")
    found = {f"{name}: similarity of '{model}', 100 ms": value for model, value in rows["similarity"].items()}
    found |= {f"{name}: p of '{model}', 100 ms": value for model, value in rows["p"].items()}
    found |= {f"{name}: {edge}, 100 ms": rows[edge].iloc[0] for edge in ("ceiling_low", "ceiling_high")}
    source = "van Rossum, Spearman; ceiling from halves of the trials"
    return {key: {"value": float(value), "published": None, "source": source} for key, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/locust_odours"))
    parser.add_argument("--quick", action="store_true", help="100 resamples, without the window for drift")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared"))
    if not (shared / "data" / RECORDING).is_file():
        print(f"skipped: {RECORDING} is not in {shared / 'data'}; it is not part of the repository")
        return
    begin = time.perf_counter()
    inputs = arguments.out / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for file in (shared / "data" / RECORDING, HERE / "chemistry.csv"):
        shutil.copy(file, inputs)
    windows = ["odour", "control"] if arguments.quick else list(WINDOWS)
    results = {name: compare(name, inputs, arguments.out, arguments.quick) for name in windows}
    metrics = {key: value for name, result in results.items() for key, value in numbers(name, result).items()}
    written = {"study": "locust_odours", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    written |= {"quick": arguments.quick, "answer": {name: result.summary() for name, result in results.items()}}
    written |= {"provenance": results["odour"].provenance}
    file = arguments.out / "results.json"
    file.write_text(json.dumps(written, indent=2) + "\n")
    print(file)


if __name__ == "__main__":
    main()
