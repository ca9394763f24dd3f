"""Any neuron model with a constant current into one of its inputs."""

from snncompare.errors import DescriptionError, unknown
from snncompare.network.equations import renamed_equations
from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, parse_unit, quantity

__all__ = ["with_bias"]


def with_bias(model: NeuronModel, amount: QuantityLike, *, into: str = "I") -> NeuronModel:
    """Return the model with a constant added to an input, as a parameter ``bias_`` and the name of the input.

    A population may give every neuron its own (``parameters={"bias_I": Uniform(...)}``), and training may change it. A
    bias that the model has already is replaced.

    Parameters
    ----------
    model : NeuronModel
    amount : quantity
        In the unit of the input.
    into : str
        The input of the model.

    Raises
    ------
    DescriptionError
        For an input that the model does not have, or an amount in another unit.
    """
    given = quantity(amount)
    if into not in model.inputs:
        raise DescriptionError("into: " + unknown("input", into, model.inputs))
    if parse_unit(model.inputs[into])[1] != given.dimension:
        raise DescriptionError(
            f"the bias must have the unit '{model.inputs[into]}' of the input '{into}', got '{given}'."
        )
    name = f"bias_{into}"
    equations = model.equations
    if name not in model.parameters:
        equations = renamed_equations(equations, {into: f"({into} + {name})"})
    return model.model_copy(update={"equations": equations, "parameters": {**model.parameters, name: given}})
