"""How the gradient of a learning rule is computed: backwards through a recorded run, or forwards with it."""

__all__: list[str] = []
