"""How weights change: learning rules as values, and the loop that carries them out."""
