"""How long to wait before trying again, so that a fleet does not come back in one wave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

LONGEST_S: Final = 30.0
"""A broker that was away is found again within this time."""
JITTER: Final = 0.2


def full_jitter_s(attempt: int, rng: random.Random) -> float:
    """Seconds before the next connection attempt.

    Anything from nothing to a bound that doubles from 1 s to 30 s: a thousand units that lost the same broker spread
    over the whole time, since it does only about a hundred TLS handshakes a second (io-lab section 2).

    Args:
        attempt: How many attempts failed since the connection last lived, from 0.
        rng: Where chance comes from.
    """
    return rng.uniform(0.0, min(LONGEST_S, 2.0 ** min(attempt, 16)))


def about_s(seconds: float, rng: random.Random) -> float:
    """This time, a fifth shorter to a fifth longer."""
    return seconds * rng.uniform(1 - JITTER, 1 + JITTER)
