"""Is a network that was trained to recognise sounds closer to an insect's ear than its untrained twin."""

import argparse
import json
import time
from pathlib import Path

import pandas as pd

from snncompare.commands.demo.run import run_demo
from snncompare.commands.demo.settings import DemoSettings

QUICK = {"epochs": 1, "presentations_per_song": 12, "hidden": 15, "receptors": 10, "dt": "1 ms", "resamples": 100}
SOURCE = "this study; the recording is CRCNS ia-1 (Rokem et al. 2006)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/grasshopper_receptor"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--quick", action="store_true", help="check the path with a small network; the numbers mean nothing"
    )
    given = parser.parse_args()
    begin = time.perf_counter()
    settings = DemoSettings(**(QUICK if given.quick else {}))
    report = run_demo(given.out, seed=given.seed, settings=settings)
    numbers = json.loads((given.out / "numbers.json").read_text(encoding="utf-8"))
    table = pd.read_csv(given.out / "result" / "table.csv")
    at_5_ms = table[(table["metric"] == "van Rossum") & (table["time_scale"] == 0.005)].set_index("model")
    measured = {
        "held-out accuracy of the trained network": numbers["held_out_accuracy"],
        "held-out accuracy of a trained readout on the untrained network": numbers["untrained_readout_accuracy"],
        "chance": numbers["chance"],
        "spikes in PyTorch": numbers["torch"],
        "spikes in Brian2": numbers["brian2"],
        "spikes that differ": numbers["differing"],
        "spikes that differ with one weight changed": numbers["control_differing"],
        **{f"similarity at 5 ms, van Rossum: {name}": row["similarity"] for name, row in at_5_ms.iterrows()},
    }
    results = {
        "study": "grasshopper_receptor",
        "metrics": {name: {"value": value, "published": None, "source": SOURCE} for name, value in measured.items()},
        "seed": given.seed,
        "quick": given.quick,
        "seconds": round(time.perf_counter() - begin, 1),
    }
    (given.out / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
