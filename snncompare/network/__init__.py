"""What is simulated: equations, populations, projections, wiring. No arrays, no time step, no simulator."""
