"""Nothing is recorded, or not where or for as long as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.doctor.facts import Facts

NEARLY = 0.9
"""Of the days wanted: forecasts waver."""


def find(facts: Facts) -> Iterator[Finding]:
    """The volume first, then the recording, then for how long it will be kept."""
    config, footage = facts.config, facts.footage
    if config is None or footage is None:
        return
    if footage.mount_trouble is not None:
        yield Finding(
            Weight.PART_LOST,
            f"The footage volume is missing: {footage.mount_trouble}. Nothing is recorded.",
            f"See that the disk is plugged in and powered (lsblk), then run: sudo mount {config.footage.mount}",
        )
        return
    if footage.status is None:
        what = f"The footage cannot be read: {footage.refused.rstrip('.?')}."
        yield Finding(Weight.PART_LOST, what, "See that footage.folder is there and that its disk answers (dmesg).")
        return
    status = footage.status
    if facts.running and not status["recording"]:
        age_s = status["newest_frame_age_s"]
        since = "since the unit was started" if age_s is None else f"for {age_s:.0f} s"
        yield Finding(
            Weight.PART_LOST,
            f"Nothing has been recorded {since}.",
            "See why in the log: journalctl -u safepoint-agent | grep -E 'helper_lost|part_lost' | tail",
        )
    if status["holds_damaged"]:
        what = f"The list of what is held is damaged, so nothing is deleted: {status['holds_damaged']}."
        yield Finding(Weight.SOON, what, "Restore the file that it names from the force's copy, or have it released.")
    kept, wanted = status["days_kept"], config.footage.keep_days
    if kept is not None and status["kept_by"] != "age" and kept < NEARLY * wanted:
        yield Finding(
            Weight.UNSURE,
            f"Footage is kept for {kept:.1f} days, not for the {wanted:g} that footage.keep_days asks for.",
            "Use a larger disk or raise footage.rolling_max_mb, lower camera.bitrate_kbps, or ask for fewer days.",
        )
