"""A pole on a cart, balanced by spikes: reward-based e-prop online, with observations as spikes of receptive fields."""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from snncompare import provenance
from snncompare.backends.torch.surrogates import Triangle
from snncompare.circuits.actor_critic import actor_critic
from snncompare.encoding.codes.population import PopulationCode
from snncompare.encoding.codes.rate import RateCode
from snncompare.figures.return_curve import return_curve_figure
from snncompare.learning.learning_rates import Constant
from snncompare.learning.optimisers import Adam
from snncompare.learning.presets import eprop
from snncompare.learning.reward.actor_critic import ActorCritic
from snncompare.learning.reward.agent import evaluate_agent, train_agent
from snncompare.learning.reward.environments import cart_pole
from snncompare.learning.reward.observations import EncodedObservations
from snncompare.learning.trained import Trained

FULL, QUICK = (120, 8, 20, 200, (0,)), (2, 2, 2, 20, (0,))
"""Rounds, environments side by side, episodes of the test, longest episode, seeds."""
ENOUGH = 0.975
"""Share of the longest episode at which training ends: gymnasium's threshold of 195 for episodes of 200."""
DT = "1 ms"
LOW, HIGH = (-2.4, -2.0, -0.21, -2.0), (2.4, 2.0, 0.21, 2.0)
"""Position (m), velocity, angle (rad, falls at 0.21) and its velocity."""
CODE = PopulationCode(n_per_feature=8, code=RateCode(highest_rate="500 Hz", window="8 ms", regular=True))
SEEN = EncodedObservations(low=LOW, high=HIGH, code=CODE)
READS = ActorCritic(discount=0.97, value_weight=0.25, entropy_weight=0.01)
RULE = eprop(Triangle("10 mV", "33 mV"), optimiser=Adam(0.02, schedule=Constant()))


def trained(seed: int, rounds: int, n_environments: int, longest: int, out: Path) -> Trained:
    """Return a network trained with one seed, or the stored one."""
    folder = out / f"seed_{seed}"
    if (folder / "network.yaml").is_file():
        return Trained.load(folder)
    found = train_agent(
        actor_critic(inputs=SEEN.n_units, actions=2, hidden=64, tau="10 ms", tau_readout="10 ms", feed="20 mV"),
        RULE,
        partial(cart_pole, longest=longest),
        SEEN,
        dt=DT,
        reads=READS,
        rounds=rounds,
        n_environments=n_environments,
        stop_at=ENOUGH * longest,
        seed=seed,
        checkpoint=out / f"seed_{seed}.pt",
        progress=lambda line: print(f"seed {seed}: {line}", flush=True),
    )
    found.save(folder)
    return found


def main() -> None:
    """Run the study and write ``results.json`` and ``cart_pole.png``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/cart_pole"))
    parser.add_argument("--quick", action="store_true", help="two rounds of two short episodes, one seed")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    rounds, n_environments, n_test, longest, seeds = QUICK if arguments.quick else FULL
    histories, rows = [], []
    for seed in seeds:
        started = time.perf_counter()
        network = trained(seed, rounds, n_environments, longest, arguments.out)
        histories.append(network.history.assign(seed=seed))
        make = partial(cart_pole, longest=longest)
        test = evaluate_agent(network, make, SEEN, dt=DT, reads=READS, n_environments=n_test, seed=seed)
        latest = network.history.iloc[-1]
        row = {"seed": seed, "return_20": float(latest["return_20"]), "episodes": int(latest["episodes"])}
        row |= {"test": float(test.returns.mean()), "minutes": round((time.perf_counter() - started) / 60, 1)}
        rows.append(row | {"curve": [round(float(value), 1) for value in network.history["return_20"]]})
        print({key: value for key, value in row.items() if key != "curve"}, flush=True)
    levels = {"as long as episodes last": float(longest)}
    figure = return_curve_figure(pd.concat(histories), levels=levels, label="Return, latest 24 episodes")
    figure.savefig(arguments.out / "cart_pole.png", dpi=200, metadata={"Software": None})
    told = f"mean over seeds {list(seeds)}, episodes of at most {longest} steps"
    sources = {
        "return_20": f"latest 24 episodes of training, actions drawn; {told}; gymnasium calls 195 of 200 solved",
        "test": f"{n_test} new episodes, most probable action; {told}",
    }
    metrics: dict[str, dict[str, object]] = {
        name: {"value": float(np.mean([row[name] for row in rows])), "published": None, "source": source}
        for name, source in sources.items()
    }
    results = {"study": "cart_pole", "metrics": metrics, "seconds": round(time.perf_counter() - begin)}
    results |= {"quick": arguments.quick, "seeds": rows, "provenance": provenance.collect(seed=seeds[0])}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
