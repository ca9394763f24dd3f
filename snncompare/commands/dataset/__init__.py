"""The verb ``dataset``: list, show, get, build and plot datasets of spikes."""
