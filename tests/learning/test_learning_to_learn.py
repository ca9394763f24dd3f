"""The change of weights that learning signals make is the one of e-prop, and a generator learns to send useful ones."""

import numpy as np
import pytest
import torch

from snncompare.backends.torch.surrogates import Triangle
from snncompare.circuits.learning_signals import learning_signal_generator, trainee
from snncompare.errors import DescriptionError, InputError, UnsupportedError
from snncompare.learning.learning_to_learn.learning import Lesson, learn_to_teach
from snncompare.learning.learning_to_learn.opened import opened
from snncompare.learning.learning_to_learn.tasks import Clock, Sines, TuningCurves
from snncompare.learning.learning_to_learn.teacher import Teacher, Teaching, Trial
from snncompare.learning.optimisers import Adam
from snncompare.network.initialisers import Constant, Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_current_based_leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import delta
from snncompare.units import quantity

DT, STEPS, IN, N = 1e-3, 80, 8, 6
ALPHA, RHO, THRESHOLD, BETA = np.exp(-1 / 20), np.exp(-1 / 100), 10e-3, 4e-3
PSI = Triangle("10 mV", "33 mV")


def adaptive_trainee():
    """Return adaptive neurons in the discrete time of Bellec et al., whose traces are known in closed form."""
    neuron = adaptive_current_based_leaky_integrate_and_fire(
        tau="20 ms",
        tau_adaptation="100 ms",
        v_threshold="10 mV",
        beta="4 mV",
        input_gain="plain",
        adaptation_gain="plain",
    )
    into = {"synapse": delta(variable="x"), "weight": Normal(mean=quantity("0.5 mV"), sd=quantity("4 mV"))}
    populations = {
        "clock": Population(size=IN, neuron=SpikeSource()),
        "hidden": Population(size=N, neuron=neuron),
        "readout": Population(size=1, neuron=leaky_readout(tau="20 ms")),
    }
    one = Constant(value=quantity("1 mV"))
    projections = {
        "feed": Projection(source="clock", target="hidden", **into),
        "recur": Projection(source="hidden", target="hidden", **into),
        "read": Projection(source="hidden", target="readout", synapse=delta(), weight=one),
    }
    return Network(populations=populations, projections=projections)  # fmt: skip


def teaching(**more):
    generator = learning_signal_generator(clock=IN, taught=N, target=4, hidden=5, adaptive=0)
    given = {"trainee": adaptive_trainee(), "generator": generator, "dt": DT, "surrogate": PSI, "rate": 0.3}
    return Teaching(**given | more)


def trial(n_tasks=2):
    rng = np.random.default_rng(0)
    clock = torch.from_numpy((rng.random((STEPS, IN)) < 0.3).astype(float))
    shown = torch.from_numpy((rng.random((STEPS, n_tasks, 4)) < 0.1).astype(float))
    return Trial(clock, torch.zeros(STEPS, n_tasks, 1, dtype=torch.float64), shown)


def closed_form(teacher, given, signals, *, beta=BETA):
    """Return the sum of L e over steps by the published recursion, (task, source, target) for feed and recur."""
    with torch.no_grad():
        traces = [("hidden", "v"), ("hidden", "a")]
        run = teacher.trainee({"clock": given.clock[:, None]}, record=["hidden"], traces=traces)
    v, a = (run.traces[key][:, 0].numpy() for key in traces)
    spikes = run.spikes["hidden"][:, 0].numpy()
    psi = np.maximum(0, 1 - np.abs(v - THRESHOLD - BETA * a) / 10e-3) / 33e-3
    assert 20 < spikes.sum() < 0.5 * spikes.size, "the trainee is alive and not saturated"
    found = {}
    for name, sent in {"feed": given.clock.numpy(), "recur": spikes}.items():
        bar, adapted = np.zeros(sent.shape[1]), np.zeros((sent.shape[1], N))
        total = np.zeros((signals.shape[1], sent.shape[1], N))
        for t in range(STEPS):
            bar = ALPHA * bar + (sent[t - 1] if t else 0.0)
            e = psi[t] * (bar[:, None] - beta * adapted)
            total += signals[t].numpy()[:, None, :] * e
            adapted = RHO * adapted + e
        found[name] = total * (1 - np.eye(N)) if name == "recur" else total  # no neuron projects to itself
    return found


def test_one_change_of_weights_is_the_sum_of_signals_times_eligibility_traces():
    teacher, given = Teacher(teaching(), seed=3), trial()
    signals = torch.from_numpy(np.random.default_rng(1).normal(size=(STEPS, 2, N)))
    taught = teacher(given, signals)
    exact, without = closed_form(teacher, given, signals), closed_form(teacher, given, signals, beta=0.0)
    for name in ("feed", "recur"):
        change = taught.changes[f"synapses.{name}.weight"].detach().numpy()
        unit = teacher.trainee.unit(name, "weight")
        # Sums of 80 products in float64, in another order.
        np.testing.assert_allclose(change, -0.3 * unit**2 * exact[name], rtol=1e-11, atol=1e-12 * np.abs(change).max())
        assert np.abs(change + 0.3 * unit**2 * without[name]).max() > 1e-3 * np.abs(change).max()
    twice = teacher(given, 2 * signals).changes["synapses.feed.weight"]
    torch.testing.assert_close(twice, 2 * taught.changes["synapses.feed.weight"], rtol=1e-12, atol=0)


def test_after_the_change_each_task_has_a_network_of_its_own():
    teacher, given = Teacher(teaching(), seed=3), trial()
    signals = torch.from_numpy(np.random.default_rng(1).normal(size=(STEPS, 2, N)))
    taught = teacher(given, signals)
    for task in range(2):
        own = Teacher(teaching(), seed=3)
        with torch.no_grad():
            for name in ("feed", "recur"):
                own.trainee.synapses[name].weight.add_(taught.changes[f"synapses.{name}.weight"][task])
            run = own.trainee({"clock": given.clock[:, None]}, traces=[("readout", "v")])
        answer = run.traces["readout", "v"][:, 0] / 1e-3
        torch.testing.assert_close(taught.after[:, task].detach(), answer, rtol=1e-9, atol=1e-12)
    assert (taught.after[:, 0] - taught.after[:, 1]).abs().max() > 0.1
    assert (taught.after - taught.before).abs().max() > 0.1


def test_without_signals_nothing_changes():
    teacher, given = Teacher(teaching(), seed=3), trial()
    taught = teacher(given, torch.zeros(STEPS, 2, N, dtype=torch.float64))
    # The same sums, by a batched product and by a plain one.
    torch.testing.assert_close(taught.after, taught.before, rtol=1e-12, atol=1e-15)


def test_the_error_after_the_change_reaches_all_that_both_networks_begin_with():
    teacher, given = Teacher(teaching(), seed=3), trial()
    taught = teacher(given)
    (taught.after - 1).square().mean().backward()
    gradients = {name: parameter.grad for name, parameter in teacher.named_parameters()}
    assert {name.split(".")[0] for name in gradients} == {"trainee", "generator"}
    assert all(gradient is not None and float(gradient.norm()) > 0 for gradient in gradients.values())


def test_the_outer_gradient_goes_through_the_change():
    """By a direction in the signals along which no spike moves, so that finite differences exist."""
    teacher, given = Teacher(teaching(), seed=3), trial(1)
    signals = torch.from_numpy(np.random.default_rng(1).normal(size=(STEPS, 1, N))).requires_grad_()
    step = teacher(given, signals).changes["synapses.feed.weight"]
    (gradient,) = torch.autograd.grad((step**2).sum(), signals)
    direction = torch.from_numpy(np.random.default_rng(2).normal(size=signals.shape))
    h = 1e-6
    changes = [teacher(given, signals.detach() + s * h * direction).changes["synapses.feed.weight"] for s in (1, -1)]
    numeric = float(((changes[0] ** 2).sum() - (changes[1] ** 2).sum()).detach()) / (2 * h)
    # Quadratic in the signals: central differences are exact but for rounding, 1e-16 / h.
    assert float((gradient * direction).sum()) == pytest.approx(numeric, rel=1e-6)
    assert numeric != 0


def test_an_opened_population_fires_as_it_did_in_the_network():
    described = adaptive_trainee()
    given = trial()
    whole = Teacher(teaching(), seed=3).trainee
    part = opened(described, "hidden")
    assert sorted(part.sources()) == ["clock", "recorded_hidden"]
    assert list(part.projections) == ["feed", "recur"]
    with torch.no_grad():
        fired = whole({"clock": given.clock[:, None]}, record=["hidden"]).spikes["hidden"]
        known = {name: whole.realisation().connections[name] for name in part.projections}
        module = type(whole)(part, DT, known)
        again = module({"clock": given.clock[:, None], "recorded_hidden": fired}, record=["hidden"]).spikes["hidden"]
        without = module({"clock": given.clock[:, None], "recorded_hidden": 0 * fired}, record=["hidden"])
    assert torch.equal(fired, again)
    assert not torch.equal(fired, without.spikes["hidden"])
    with pytest.raises(DescriptionError, match="did you mean 'hidden'"):
        opened(described, "hiden")
    with pytest.raises(UnsupportedError, match="only neurons with equations can be taught"):
        opened(described, "clock")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"taught": "hiden"}, "trainee: no population 'hiden'"),
        ({"changed": ("feet",)}, "changed: no projection 'feet'"),
        ({"changed": ("read",)}, "changed: 'read' does not lead to 'hidden'"),
        ({"generator": learning_signal_generator(clock=IN, taught=N + 1, target=4)}, "must have 6 neurons"),
        ({"generator": adaptive_trainee()}, "generator: no population 'trainee'"),
    ],
    ids=["taught", "unknown", "elsewhere", "size", "sources"],
)
def test_networks_that_do_not_fit_together_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        teaching(**given)


def lesson(duration="100 ms"):
    return Lesson(family=Sines(low=1.0), duration=duration, clock=Clock(n_per_group=2, hand="20 ms"))


def small():
    generator = learning_signal_generator(clock=10, taught=12, target=16, hidden=14, adaptive=6)
    return Teaching(trainee=trainee(clock=10, hidden=12), generator=generator, dt=2e-3, surrogate=PSI)


def learn(duration="100 ms", **more):
    given = {"iterations": 11, "n_tasks": 3, "optimiser": Adam(0.02), "progress": lambda _: None}
    return learn_to_teach(small(), lesson(duration), **given | more)


def test_an_interrupted_lesson_ends_with_the_same_weights(tmp_path):
    whole, path = learn("30 ms"), tmp_path / "lesson.pt"

    def interrupt(line):
        if line.startswith("11/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn("30 ms", checkpoint=path, progress=interrupt)
    assert path.exists()
    resumed = learn("30 ms", checkpoint=path)
    assert whole.history.equals(resumed.history)
    for one, other in ((whole.trainee, resumed.trainee), (whole.generator, resumed.generator)):
        assert all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)
    other = learn("30 ms", iterations=1, seed=1)
    assert not np.array_equal(whole.generator.weights["clock_hidden"], other.generator.weights["clock_hidden"])


@pytest.mark.slow
def test_a_generator_learns_to_teach_and_its_signals_are_those_of_the_task():
    pair = learn(iterations=70, n_tasks=8)
    teacher = pair.teacher(small())
    tasks = lesson().draw(64, 2e-3, np.random.default_rng(5))
    taught = teacher(tasks)
    error = {
        "before": taught.before,
        "after": taught.after,
        "shuffled": teacher(tasks, taught.signals.detach().roll(1, dims=1)).after,
        "untrained": Teacher(small(), trainee=pair.trainee.realisation)(tasks).after,
    }
    found = {name: (each - tasks.target).square().mean(dim=(0, 2)).detach() for name, each in error.items()}
    for control in ("before", "shuffled", "untrained"):
        gain = found[control] - found["after"]
        # Of 64 independent tasks: four standard errors.
        assert gain.mean() > 4 * gain.std() / 8, control
    idle = found["before"] - found["untrained"]
    assert idle.mean().abs() < 4 * idle.std() / 8, "an untrained generator neither helps nor harms"


def test_sines_clock_and_tuning_curves_are_what_they_say():
    target = Sines(shortest="200 ms", longest="200 ms", low=1.0, high=1.0).draw(50, 200, 1e-3, np.random.default_rng(0))
    assert target.shape == (200, 50, 1)
    assert np.abs(target).max() == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(target[100:150], -target[:50], atol=1e-12)
    assert np.abs(target[0]).std() > 0.1, "phases differ"
    clock = Clock(n_groups=3, n_per_group=4, hand="10 ms", rate="500 Hz").raster(60, 1e-3)
    blocks = clock.reshape(6, 10, 3, 4).sum(axis=(1, 3))
    assert (blocks[np.arange(6), np.arange(6) % 3] > 5).all()
    assert blocks.sum() == clock.sum()
    assert blocks[0, 1:].sum() == 0
    curve = TuningCurves(low=-1.0, high=1.0, n=5, rate="500 Hz")
    shown = curve.raster(np.full((2000, 1, 1), 0.5), 1e-3, np.random.default_rng(0))[:, 0].mean(axis=0)
    # exp(0) and exp(-1/2) times 0.5 per step; 2000 steps have a standard error of 0.011.
    np.testing.assert_allclose(shown[2:], [0.5 * np.exp(-0.5), 0.5, 0.5 * np.exp(-0.5)], atol=0.045)
    with pytest.raises(InputError, match="n must be at least 2"):
        TuningCurves(n=1)
    with pytest.raises(InputError, match="shortest must be positive"):
        Sines(shortest="400 ms")
