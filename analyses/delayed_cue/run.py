"""Remembering a cue until it is asked for, learnt from reward alone: reward-based e-prop and its controls."""

import argparse
import json
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare import provenance
from snncompare.backends.torch.surrogates import Triangle
from snncompare.circuits.actor_critic import actor_critic
from snncompare.figures.return_curve import return_curve_figure
from snncompare.figures.style import FAINT_COLOUR, PALETTE
from snncompare.learning.learning_rates import Constant
from snncompare.learning.losses import RateLimit
from snncompare.learning.optimisers import Adam
from snncompare.learning.presets import eprop
from snncompare.learning.reward.actor_critic import ActorCritic
from snncompare.learning.reward.agent import evaluate_agent, train_agent
from snncompare.learning.reward.environments import Step, delayed_cue
from snncompare.learning.reward.observations import SpikeObservations
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import Execution
from snncompare.learning.trained import Trained
from snncompare.network.network import Network

FULL, QUICK = (50, 32, 200, (0, 1)), (2, 2, 4, (0,))
"""Rounds, environments side by side, episodes of the test, seeds."""
DT, WINDOW, NEURONS = "1 ms", "20 ms", 60
TASK = partial(delayed_cue, window=WINDOW, shortest_delay="300 ms", longest_delay="500 ms")
SEEN = SpikeObservations(WINDOW)
READS = ActorCritic(scale="1 mV", discount=0.9, value_weight=0.1, entropy_weight=0.01)
RULE = eprop(Triangle("10 mV", "33 mV"), optimiser=Adam(0.05, schedule=Constant()))
OFFLINE = replace(RULE, execution=Execution.BACKWARD)
"""The same gradient (to 1e-12, tests/learning/test_reward_players.py), in less time."""
ENOUGH = 0.9
COLOURS = {
    "reward-based e-prop": PALETTE[0],
    "no adaptation": PALETTE[1],
    "reward by coin": FAINT_COLOUR,
}


def network(*, adaptive: bool) -> Network:
    """Return 60 neurons, all with an adaptive or all with a fixed threshold."""
    how_many = {"hidden": 0, "adaptive": NEURONS} if adaptive else {"hidden": NEURONS, "adaptive": 0}
    times = {"tau_adaptation": "600 ms", "tau_readout": "50 ms"}
    return actor_critic(inputs=40, actions=2, **how_many, adaptation="4 mV", feed="40 mV", **times)  # type: ignore[arg-type]


def coin(step: Step, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return rewards that are as frequent as those of guessing, and have nothing to do with the answer."""
    return (rng.random(len(step.reward)) < 0.5) * step.terminated.astype(np.float64)


CONDITIONS: dict[str, tuple[bool, LearningRule, bool]] = {
    "reward-based e-prop": (True, RULE, False),
    "no adaptation": (False, OFFLINE, False),
    "reward by coin": (True, OFFLINE, True),
}
"""Whether neurons adapt, rule, whether a coin decides on reward."""


def one(name: str, seed: int, rounds: int, n_environments: int, out: Path) -> Trained:
    """Return the network trained in a condition with a seed, or the stored one."""
    folder = out / f"{name.replace(' ', '_')}_{seed}"
    if (folder / "network.yaml").is_file():
        return Trained.load(folder)
    adaptive, rule, by_coin = CONDITIONS[name]
    trained = train_agent(
        network(adaptive=adaptive),
        rule,
        TASK,
        SEEN,
        dt=DT,
        reads=READS,
        rounds=rounds,
        n_environments=n_environments,
        penalties=(RateLimit("5 Hz", "30 Hz", 0.5),),
        told=coin if by_coin else None,
        seed=seed,
        checkpoint=folder.with_suffix(".pt"),
        progress=lambda line: print(f"{name}, seed {seed}: {line}", flush=True),
    )
    trained.save(folder)
    return trained


def curves(history: pd.DataFrame) -> dict[str, list[float]]:
    """Return the share right of the latest 32 episodes, by condition and seed, one number per round."""
    by = history.groupby(["model", "seed"], sort=False)["return_20"]
    return {f"{name}, seed {seed}": [round(float(x), 3) for x in values] for (name, seed), values in by}


def main() -> None:
    """Run the study and write ``results.json`` and ``delayed_cue.png``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/delayed_cue"))
    parser.add_argument("--quick", action="store_true", help="two rounds of two episodes, one seed")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    rounds, n_environments, n_test, seeds = QUICK if arguments.quick else FULL
    histories, rows = [], []
    for name in CONDITIONS:
        for seed in seeds:
            started = time.perf_counter()
            trained = one(name, seed, rounds, n_environments, arguments.out)
            histories.append(trained.history.assign(model=name, seed=seed))
            test = evaluate_agent(trained, TASK, SEEN, dt=DT, reads=READS, n_environments=n_test, seed=seed)
            reached = trained.history.loc[trained.history["return_20"] >= ENOUGH, "episodes"]
            row = {"condition": name, "seed": seed, "right": float(test.returns.mean()), "rate": test.rate}
            row |= {"episodes": None if reached.empty else int(reached.iloc[0])}
            rows.append(row | {"seconds": round(time.perf_counter() - started)})
            print(rows[-1], flush=True)
    history = pd.concat(histories)
    figure = return_curve_figure(
        history, levels={"chance": 0.5}, label="Right choices, latest 32 episodes", colours=COLOURS
    )
    figure.savefig(arguments.out / "delayed_cue.png", dpi=200, metadata={"Software": None})
    table = pd.DataFrame(rows)
    source = f"share right of {n_test} episodes never learnt from, most probable answer, mean over {len(seeds)} seeds"
    metrics: dict[str, dict[str, object]] = {
        name: {"value": float(each["right"].mean()), "published": None, "source": source}
        for name, each in table.groupby("condition", sort=False)
    }
    results = {"study": "delayed_cue", "metrics": metrics, "seconds": round(time.perf_counter() - begin)}
    results |= {
        "quick": arguments.quick,
        "seeds": rows,
        "curves": curves(history),
        "provenance": provenance.collect(seed=seeds[0]),
    }
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
