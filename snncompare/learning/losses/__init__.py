"""What training makes small: values over what a network shows."""

from snncompare.learning.losses.classification import Classification, Over
from snncompare.learning.losses.loss import Form, Loss, Penalty, Reads
from snncompare.learning.losses.rates import RateLimit
from snncompare.learning.losses.regression import Regression

__all__ = ["Classification", "Form", "Loss", "Over", "Penalty", "RateLimit", "Reads", "Regression"]
