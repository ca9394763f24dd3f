"""The main job on a real recording: is a network that was trained to recognise sounds like an insect's ear."""

from snncompare.commands.demo.run import run_demo

__all__ = ["run_demo"]
