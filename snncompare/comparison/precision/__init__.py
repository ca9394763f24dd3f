"""How precise the spike times are that a match rests on: time scales, surrogates, rate and latency and the rest."""
