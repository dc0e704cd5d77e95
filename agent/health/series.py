"""Is the unit allowed to film where it stands? Not after a move, until its masks are approved (agent/series.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.health.reading import Reading
from agent.series import FIRST, SeriesUnreadable, read_series

if TYPE_CHECKING:
    from agent.config.settings import Config


def check(config: Config) -> Reading:
    """The evidence series, and a fault while its masks are not approved.

    Looked at in the record itself: the running unit's configuration has no camera then.
    """
    try:
        series = read_series(config.state_folder)
    except SeriesUnreadable as error:
        return Reading(
            {"number": None}, {"unreadable": f"Nothing is filmed, because {error}: approve the masks again."}
        )
    if series is None:
        return Reading({"number": FIRST})
    if series.may_film:
        return Reading({"number": series.number})
    text = "The masks are not approved for this site: nothing is filmed (safepoint relocate --approve-masks --by NAME)."
    return Reading({"number": series.number}, {"masks-not-approved": text})
