"""Release of transmitter and spikes of auditory-nerve fibres, `LANES` hair cells at a time, in compiled code."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from snncompare.encoding.auditory.single_precision import LANES, exp2, fma, log2

__all__ = ["fibre_spikes", "ordered_by_fibre"]

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_LEAST_DRIVE = np.float32(1e-24)
"""Instead of 0, of which there is no logarithm."""
_BLOCK = 32
"""Samples after which what is left until the next spike is brought up to date in double precision."""


@njit(cache=True, nogil=True, error_model="numpy")
def fibre_spikes(  # pragma: no cover
    potential: NDArray[np.float32],
    dt: float,
    silence: float,
    release: NDArray[np.float64],
    fibres: NDArray[np.int64],
    exponent: float,
    refractory: NDArray[np.float64],
    latest: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    r"""Return the spikes of the fibres that leave `LANES` hair cells: their times (s) and fibres, in order of time.

    A spike is where the integral of the hazard since the last one reaches an exponential random number. Stores are
    those of `synapse.Synapse`, advanced by Euler's method; within a sample the release is constant, and the recovery
    from the last spike is that in the middle of the sample.

    Parameters
    ----------
    potential : array, shape (n_samples LANES,)
        V, receptor potential of the hair cells, cell by cell for each sample.
    dt : float
        Seconds.
    silence : float
        Seconds at rest before the first sample, so that fibres do not start unrefractory.
    release : array, shape (n_rows, 8, LANES)
        Supply K, local and global permeability, contents of immediate and local store, D0, threshold, half activation
        of the fibres of each hair cell.
    fibres : array, shape (n_rows, LANES)
        Their numbers; -1 where there is none.
    exponent : float
        p.
    refractory : array, shape (4,)
        Absolute, fast, slow (seconds), slow part.
    latest : float
        Seconds; spikes after it are left out.
    rng : numpy.random.Generator
    """
    constants, recovery = _constants(release, dt), _recovery(refractory, dt)
    state = np.zeros((release.shape[0], 8 * LANES), dtype=np.float32)
    left = np.full(fibres.shape, np.inf)
    for row in range(release.shape[0]):
        for c in range(LANES):
            if fibres[row, c] >= 0:
                _rest(release[row, :, c], dt, silence, exponent, refractory, rng, state[row], c)
                left[row, c] = rng.standard_exponential()
        _rebase(state[row], left[row])
    n_samples, found = potential.size // LANES, 0
    times, who = np.empty(0), np.empty(0, dtype=np.int64)
    for begin in range(0, n_samples, _BLOCK):
        end = min(begin + _BLOCK, n_samples)
        if times.size - found < _BLOCK * fibres.size:
            times = np.concatenate((times[:found], np.empty(found + _BLOCK * fibres.size)))
            who = np.concatenate((who[:found], np.empty(times.size - found, dtype=np.int64)))
        found = _block(
            potential, begin, end, constants, exponent, recovery, dt, refractory, state, left, fibres, rng, latest,
            times, who, found,
        )  # fmt: skip
        for row in range(release.shape[0]):
            _rebase(state[row], left[row])
    return times[:found], who[:found]


@njit(error_model="numpy")
def _block(  # type: ignore[no-untyped-def] # pragma: no cover
    potential, begin, end, constants, exponent, recovery, dt, refractory, state, left, fibres, rng, latest, times, who,
    found,
):  # fmt: skip
    """Advance all fibres by some samples and note their spikes; return how many there are then."""
    power = np.float32(exponent)
    dead, fast, slow, forget_fast, forget_slow = recovery[0], recovery[1], recovery[2], recovery[3], recovery[4]
    for t in range(begin, end):
        v = potential[t * LANES : (t + 1) * LANES]
        for row in range(len(state)):
            s = state[row]
            if _step(v, constants[row], s, power, forget_fast, forget_slow) >= 0:
                continue
            for c in range(LANES):
                over = s[5 * LANES + c] - s[6 * LANES + c]
                if not over > _ZERO:
                    continue
                since = over / s[7 * LANES + c]
                times[found], who[found] = (t + 1 - since) * dt, fibres[row, c]
                found += times[found] <= latest
                if since < dead:
                    s[2 * LANES + c], s[3 * LANES + c], s[4 * LANES + c] = dead - since, fast, slow
                else:
                    _recover(s, c, since, dt, refractory)
                left[row, c] = rng.standard_exponential()
                s[5 * LANES + c], s[6 * LANES + c] = _ZERO, np.float32(left[row, c])
    return found


@njit(inline="always")
def _step(v, constants, state, power, forget_fast, forget_slow):  # type: ignore[no-untyped-def] # pragma: no cover
    """Advance stores and hazards of `LANES` fibres by a sample; return a negative number where one has to fire.

    Rows of ``state``: fillings of immediate and local store, rest of the absolute refractory period (samples), fast
    and slow part of relative refractoriness, hazard spent, hazard left, hazard per sample.
    """
    due = np.int32(0)
    for c in range(LANES):
        limit, local, world = constants[c], constants[LANES + c], constants[2 * LANES + c]
        beyond = v[c] - min(max(v[c], _ZERO), constants[6 * LANES + c])
        drive = max(fma(beyond, constants[7 * LANES + c], constants[5 * LANES + c]), _LEAST_DRIVE)
        middle, distant = state[c], state[LANES + c]
        rate = limit * exp2(power * log2(drive)) * middle
        flow = local * (distant - middle)
        state[c] = fma(constants[3 * LANES + c], flow - rate, middle)
        state[LANES + c] = fma(constants[4 * LANES + c], fma(-world, distant, world) - flow, distant)
        wait, fast, slow = state[2 * LANES + c], state[3 * LANES + c], state[4 * LANES + c]
        free = max(_ONE - wait, _ZERO)
        hazard = rate * (_ONE - fast - slow)
        spent = fma(hazard, free, state[5 * LANES + c])
        state[2 * LANES + c] = max(wait - _ONE, _ZERO)
        state[3 * LANES + c] = fma(fast, -forget_fast * free, fast)
        state[4 * LANES + c] = fma(slow, -forget_slow * free, slow)
        state[5 * LANES + c] = spent
        state[7 * LANES + c] = hazard
        due = np.int32(due | np.float32(state[6 * LANES + c] - spent).view(np.int32))
    return due


@njit
def _constants(release, dt):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return what `_step` needs, per sample: rows of `LANES` for each row of fibres."""
    constants = np.empty((release.shape[0], 8 * LANES), dtype=np.float32)
    for row in range(release.shape[0]):
        for c in range(LANES):
            limit, local, world, immediate, reserve, rest, threshold, half = release[row, :, c]
            scaled = (limit * dt, local * dt, world * dt, 1.0 / immediate, 1.0 / reserve, rest, threshold, 1.0 / half)
            for k in range(8):
                constants[row, k * LANES + c] = scaled[k]
    return constants


@njit
def _recovery(refractory, dt):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return the dead time (samples), the fast and the slow part after it, and the parts of them lost in a sample."""
    dead, fast, slow, part = refractory[0], refractory[1], refractory[2], refractory[3]
    recovery = np.empty(5, dtype=np.float32)
    recovery[0] = dead / dt
    recovery[1], recovery[2] = (1.0 - part) * math.exp(-0.5 * dt / fast), part * math.exp(-0.5 * dt / slow)
    recovery[3], recovery[4] = -math.expm1(-dt / fast), -math.expm1(-dt / slow)
    return recovery


@njit
def _rest(release, dt, silence, exponent, refractory, rng, state, c):  # type: ignore[no-untyped-def] # pragma: no cover
    """Set stores to what they hold at rest, and refractoriness to that after spikes at rest, found by thinning."""
    limit, local, world, rest = release[0], release[1], release[2], release[5]
    permeability = limit * rest**exponent
    middle = 1.0 / (1.0 + permeability * (1.0 / local + 1.0 / world))
    rate = permeability * middle
    state[c], state[LANES + c] = middle, 1.0 - rate / world
    if rate <= 0.0:
        return
    dead, fast, slow, part = refractory[0], refractory[1], refractory[2], refractory[3]
    last, now = -np.inf, -silence + rng.standard_exponential() / rate
    while now < 0.0:
        s = now - last - dead
        if s > 0.0 and rng.random() < 1.0 - (1.0 - part) * math.exp(-s / fast) - part * math.exp(-s / slow):
            last = now
        now += rng.standard_exponential() / rate
    if last > -np.inf:
        _recover(state, c, -last / dt, dt, refractory)


@njit(inline="always")
def _recover(state, c, since, dt, refractory):  # type: ignore[no-untyped-def] # pragma: no cover
    """Set the refractoriness of a fibre that fired so many samples ago."""
    dead, fast, slow, part = refractory[0], refractory[1], refractory[2], refractory[3]
    wait = dead / dt - since
    over = (0.5 - min(wait, 0.0)) * dt  # in the middle of the next sample
    state[2 * LANES + c] = max(wait, 0.0)
    state[3 * LANES + c] = (1.0 - part) * math.exp(-over / fast)
    state[4 * LANES + c] = part * math.exp(-over / slow)


@njit(inline="always")
def _rebase(state, left):  # type: ignore[no-untyped-def] # pragma: no cover
    """Take what was spent off what was left."""
    for c in range(LANES):
        left[c] = max(left[c] - state[5 * LANES + c], 0.0)
        state[5 * LANES + c] = _ZERO
        state[6 * LANES + c] = left[c]


@njit(cache=True, nogil=True)
def ordered_by_fibre(  # pragma: no cover
    times: NDArray[np.float64], fibres: NDArray[np.int64], n_fibres: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return spike times by fibre, in each in the order given, and the number of each fibre's."""
    counts = np.zeros(n_fibres, dtype=np.int64)
    for fibre in fibres:
        counts[fibre] += 1
    at = np.cumsum(counts) - counts
    ordered = np.empty(times.size)
    for k in range(times.size):
        ordered[at[fibres[k]]] = times[k]
        at[fibres[k]] += 1
    return ordered, counts
