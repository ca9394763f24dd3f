"""Parameters whose influence is followed, one group for each kind, and how a gradient gets to them."""

from dataclasses import dataclass

from torch import Tensor, nn

from snncompare.learning.gradients.forward.placing import Each, Placing
from snncompare.learning.gradients.forward.stepper import Stepper, trained_values

__all__ = ["Group", "groups_of"]


@dataclass(frozen=True, eq=False)
class Group:
    """The weights of a projection as it has effects on one variable, or one parameter of the neurons of a population.

    Attributes
    ----------
    population : str
        The target.
    placing : Placing
    entry : int or None
        Place in `Stepper.entries`, for weights.
    parameter : str or None
        Name, for parameters of neurons.
    direct : bool
        Whether the parameter acts in the steps of the neurons; otherwise only where states begin.
    starts : tuple of str
        Variables that begin at the value of the parameter.
    """

    population: str
    placing: Placing
    entry: int | None = None
    parameter: str | None = None
    direct: bool = False
    starts: tuple[str, ...] = ()

    def fold(self, stepper: Stepper, gradient: Tensor) -> None:
        """Add the gradient of the entries to that of the parameter."""
        if self.entry is not None:
            stepper.entries[self.entry].fold(gradient)
            return
        parameter = self._parameter(stepper)
        own = gradient if parameter.ndim else gradient.sum()
        parameter.grad = own.clone() if parameter.grad is None else parameter.grad + own

    def each_trial(self, stepper: Stepper, gradient: Tensor) -> tuple[nn.Parameter, Tensor]:
        """Return the parameter, and its gradient in each trial from that of the entries, both (batch, ...)."""
        if self.entry is not None:
            entries = stepper.entries[self.entry]
            return entries.weights, entries.each_trial(gradient)
        parameter = self._parameter(stepper)
        return parameter, gradient if parameter.ndim else gradient.sum(dim=1)

    def _parameter(self, stepper: Stepper) -> nn.Parameter:
        found: nn.Parameter = stepper.module.neurons[self.population][self.parameter]
        return found


def groups_of(stepper: Stepper, readout: str) -> list[Group]:
    """Return the trained parameters of populations that fire, and of the readout."""
    found = [
        Group(entries.target, entries.placing, entry=k)
        for k, entries in enumerate(stepper.entries)
        if entries.factor.requires_grad and (stepper.neurons[entries.target].can_fire or entries.target == readout)
    ]
    for name, neurons in stepper.neurons.items():
        if neurons.can_fire or name == readout:
            for key in trained_values(stepper.module, name):
                begun = [key] if key in neurons.variables else stepper.module.neurons[name].begun_by(key)
                starts = tuple(variable for variable in begun if variable in neurons.variables)
                placing = Each(neurons.shape[1])
                found.append(Group(name, placing, parameter=key, direct=key in neurons.parameters, starts=starts))
    return found
