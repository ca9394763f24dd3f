r"""Current-based neurons as the machine-learning literature writes them: recursions per time step, reproduced exactly.

With :math:`\alpha_s = e^{-dt/\tau_{syn}}`, :math:`\alpha = e^{-dt/\tau}`, :math:`\rho = e^{-dt/\tau_a}`, input spikes
:math:`x`, recurrent spikes :math:`z`:

.. math::
    I^t &= \alpha_s I^{t-1} + W x^t + W_{rec} z^{t-1} \\
    v^t &= \alpha v^{t-1} + \zeta I^t - \text{reset}(z^{t-1}) \\
    a^t &= \rho a^{t-1} + \kappa z^{t-1} \\
    z^t &= H(v^t - \theta - \beta a^t)

The exponential Euler step of the equations below is this recursion; what jumps at a spike is divided by the decay that
follows in the next step. Connect with ``delta(variable="x")``, weights in the unit of the threshold and no delay: the
neuron's spikes appear one step later than in the recursion, because in Brian2 a spike acts in the step after it was
fired. NEST, TensorFlow e-prop and SRNN (Yin) are this recursion with different constants.

spytorch and stork read the spike from the old membrane, which integrates the old current. That is a delay of 1 step for
the input and of 2 steps for the recurrence (1 step where the loop uses the spikes of the same pass), with the reset
``"zero and hold"``; spikes then appear in the same step as there.
"""

from typing import Literal, get_args

from snncompare.errors import DescriptionError, unknown
from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, base_unit, quantity

__all__ = [
    "Gain",
    "Reset",
    "adaptive_current_based_leaky_integrate_and_fire",
    "current_based_leaky_integrate_and_fire",
    "current_based_readout",
]

Gain = Literal["plain", "normalised"]
Reset = Literal["zero", "zero and hold", "subtract base threshold", "subtract current threshold"]


def current_based_leaky_integrate_and_fire(
    *,
    tau: QuantityLike = "20 ms",
    tau_syn: QuantityLike | None = "10 ms",
    v_threshold: QuantityLike = "1",
    input_gain: Gain = "normalised",
    reset: Reset = "zero",
    refractory_steps: int = 0,
) -> NeuronModel:
    r"""Return the current-based leaky integrate-and-fire neuron (CuBa-LIF) of surrogate-gradient training.

    .. math::
        \tau \dot v = -v + g\,(x + I), \qquad \tau_{syn} \dot x = -x, \qquad v > v_{threshold}: \text{reset}

    :math:`v` membrane potential, :math:`x` synaptic current, to which spikes add their weight, :math:`I` further input;
    all in the unit of the threshold. Neftci, Mostafa and Zenke (2019) IEEE Signal Processing Magazine 36:51, box 2; the
    module's docstring has the recursion.

    Parameters
    ----------
    tau : time
        Membrane time constant.
    tau_syn : time, optional
        Synaptic time constant; None lets a weight act in one step only (:math:`\alpha_s = 0`).
    v_threshold : quantity
    input_gain : str
        ``"normalised"``: :math:`\zeta = 1 - \alpha` (stork), ``"plain"``: :math:`\zeta = 1` (spytorch).
    reset : str
        ``"zero"``: :math:`v \leftarrow 0` before the next step integrates. ``"zero and hold"``: and the next step keeps
        it there (spytorch, stork: :math:`v^{t+1} = (\dots)(1 - z^t)`). ``"subtract base threshold"``:
        :math:`-\theta z^{t-1}` in the next step, undecayed (NEST, TensorFlow e-prop).
    refractory_steps : int
        Steps after a spike in which no spike is fired while the membrane goes on.
    """
    return _model(tau, tau_syn, v_threshold, input_gain, reset, refractory_steps)


def adaptive_current_based_leaky_integrate_and_fire(
    *,
    tau: QuantityLike = "20 ms",
    tau_syn: QuantityLike | None = None,
    tau_adaptation: QuantityLike = "200 ms",
    v_threshold: QuantityLike = "1",
    beta: QuantityLike = "1.8",
    input_gain: Gain = "normalised",
    adaptation_gain: Gain = "normalised",
    reset: Reset = "subtract base threshold",
    refractory_steps: int = 0,
) -> NeuronModel:
    r"""Return the current-based neuron with adaptive threshold (ALIF) of LSNN, e-prop and SRNN.

    .. math::
        \tau \dot v = -v + g\,(x + I), \qquad \tau_{syn} \dot x = -x, \qquad \tau_a \dot a = -a, \qquad
        v > v_{threshold} + \beta a: \text{reset}

    :math:`a` adaptation (dimensionless), the rest as in `current_based_leaky_integrate_and_fire`. Bellec et al. (2020)
    Nature Communications 11:3625, eq. 6-8; Yin, Corradi and Bohte (2021) Nature Machine Intelligence 3:905.

    Parameters
    ----------
    tau, tau_syn, v_threshold, input_gain, refractory_steps
        As in `current_based_leaky_integrate_and_fire`; ``tau_syn=None`` is the usual case.
    tau_adaptation : time
    beta : quantity
        Rise of the threshold per unit of adaptation, in the unit of the threshold.
    adaptation_gain : str
        ``"plain"``: a spike adds :math:`\kappa = 1` (TensorFlow e-prop, NEST), ``"normalised"``:
        :math:`\kappa = 1 - \rho` (LSNN, SRNN). Both gains normalised is the same neuron as both plain with
        :math:`\theta/(1 - \alpha)` and :math:`\beta (1 - \rho)/(1 - \alpha)`.
    reset : str
        Those of `current_based_leaky_integrate_and_fire`, where ``"subtract base threshold"`` is the order of e-prop
        (O2), or ``"subtract current threshold"``: :math:`-(\theta + \beta a^t) z^{t-1}`, with the adaptation updated
        before the membrane (O3, SRNN). Both orders are the same for the other resets.
    """
    adaptation = named_quantities(tau_adaptation=tau_adaptation, beta=beta)
    if adaptation["beta"].dimension != quantity(v_threshold).dimension:
        raise DescriptionError(f"beta must have the unit of the threshold ('{v_threshold}'), got '{beta}'.")
    _check("adaptation_gain", adaptation_gain, Gain)
    jump = "exp(dt/tau_adaptation)" + (" - 1" if adaptation_gain == "normalised" else "")
    model = _model(tau, tau_syn, v_threshold, input_gain, reset, refractory_steps)
    return model.model_copy(
        update={
            "equations": f"{model.equations}\nda/dt = -a/tau_adaptation : 1",
            "threshold": "v > v_threshold + beta*a",
            "reset": f"a += {jump}\n" + (_SUBTRACT_CURRENT if reset == "subtract current threshold" else model.reset),
            "parameters": {**model.parameters, **adaptation},
        }
    )


def current_based_readout(
    *, tau: QuantityLike = "20 ms", tau_syn: QuantityLike | None = "10 ms", input_gain: Gain = "normalised"
) -> NeuronModel:
    r"""Return the neuron of `current_based_leaky_integrate_and_fire` without a threshold: a readout that never fires.

    .. math::
        I^t = \alpha_s I^{t-1} + W z^t, \qquad y^{t+1} = \kappa y^t + \zeta I^t

    :math:`y` is called ``v``; :math:`\kappa = e^{-dt/\tau}`, and :math:`\zeta` is :math:`1 - \kappa` or 1. Neftci,
    Mostafa and Zenke (2019) IEEE Signal Processing Magazine 36:51.
    """
    model = _model(tau, tau_syn, "1", input_gain, "zero", 0)
    kept = {name: value for name, value in model.parameters.items() if name != "v_threshold"}
    return NeuronModel(equations=model.equations, parameters=kept, inputs=model.inputs)


_SUBTRACT_CURRENT = "v -= (v_threshold + beta*a*exp(-dt/tau_adaptation))*exp(dt/tau)"


def _model(
    tau: QuantityLike, tau_syn: QuantityLike | None, v_threshold: QuantityLike, gain: Gain, reset: Reset, steps: int
) -> NeuronModel:
    _check("input_gain", gain, Gain)
    _check("reset", reset, Reset)
    hold = reset == "zero and hold"
    if steps < 0 or (steps and hold):
        raise DescriptionError(f"refractory_steps must not be negative, and 0 with '{reset}', got {steps}.")
    unit = base_unit(quantity(v_threshold).dimension)
    zero = "0" if unit == "1" else f"0*{unit}"
    drive = "gain*(x + I)" if gain == "plain" else "x + I"
    lines = [
        f"dv/dt = ({drive} - v)/tau : {unit}{' (unless refractory)' if hold else ''}",
        # exp(-1000) is zero in float64: nothing is left after one step.
        f"dx/dt = {'-1000*x/dt' if tau_syn is None else '-x/tau_syn'} : {unit}",
        *(["gain = 1/(1 - exp(-dt/tau)) : 1"] if gain == "plain" else []),
    ]
    return NeuronModel(
        equations="\n".join(lines),
        threshold="v > v_threshold",
        reset=f"v = {zero}" if reset.startswith("zero") else "v -= v_threshold*exp(dt/tau)",
        refractory="dt*2" if hold else f"dt*{steps + 1}" if steps else None,
        parameters=named_quantities(
            tau=tau, v_threshold=v_threshold, **({} if tau_syn is None else {"tau_syn": tau_syn})
        ),
        inputs={"I": unit},
    )


def _check(argument: str, given: object, allowed: object) -> None:
    if given not in get_args(allowed):
        raise DescriptionError(f"{argument}: " + unknown("choice", given, get_args(allowed)))
