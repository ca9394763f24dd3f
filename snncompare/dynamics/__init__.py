"""From equations and a time step to a step program; the one user of Brian2's parser."""
