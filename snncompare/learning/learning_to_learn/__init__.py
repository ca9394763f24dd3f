"""Learning to learn: a network whose learning signals teach another network within one trial."""

from snncompare.learning.learning_to_learn.learning import Lesson, TaughtPair, learn_to_teach
from snncompare.learning.learning_to_learn.tasks import Clock, Sines, TuningCurves
from snncompare.learning.learning_to_learn.teacher import Taught, Teacher, Teaching, Trial

__all__ = [
    "Clock",
    "Lesson",
    "Sines",
    "Taught",
    "TaughtPair",
    "Teacher",
    "Teaching",
    "Trial",
    "TuningCurves",
    "learn_to_teach",
]
