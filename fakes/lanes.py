"""The story at one glance: a lane for each actor, a dot for each thing done, on one axis of time."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from agent.control_room.plain_text import plain
from fakes.story import Who

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fakes.story import StoryEvent

WIDTH, LANE_HEIGHT, LEFT, RIGHT, TOP = 960, 46, 150, 30, 14
TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
MOST_TICKS = 9
COLOURS = {Who.SCENE: "#b36b00", Who.UNIT: "#1a6dc4", Who.NETWORK: "#5a5f66", Who.CONTROL_ROOM: "#1b8a4f"}


def draw_lanes(events: Sequence[StoryEvent], began: datetime, ended: datetime) -> str:
    """The events as an inline SVG, with seconds since `began` along the bottom."""
    lanes = [who for who in Who if any(event.who is who for event in events)]
    length_s = max((ended - began).total_seconds(), 1.0)
    bottom = TOP + LANE_HEIGHT * len(lanes)
    parts = [_lane(who, TOP + LANE_HEIGHT * (row + 0.5)) for row, who in enumerate(lanes)]
    parts += [_tick(seconds, length_s, bottom) for seconds in _ticks(length_s)]
    for event in sorted(events, key=lambda event: event.at):
        x = _across((event.at - began).total_seconds(), length_s)
        parts.append(_dot(event, x, TOP + LANE_HEIGHT * (lanes.index(event.who) + 0.5)))
    words = f"{len(events)} events in {length_s:.0f} seconds; the list below says the same in words"
    return (
        f'<svg viewBox="0 0 {WIDTH} {bottom + 30}" role="img" aria-label="{words}" '
        f'font-family="system-ui, sans-serif" font-size="15">{"".join(parts)}</svg>'
    )


def _ticks(length_s: float) -> range:
    step_s = next((step for step in TICK_STEPS_S if length_s / step < MOST_TICKS), TICK_STEPS_S[-1])
    return range(0, int(length_s) + 1, step_s)


def _across(seconds: float, length_s: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(max(seconds / length_s, 0.0), 1.0)


def _lane(who: Who, y: float) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#d5dbe1" stroke-width="2"/>'
        f'<text x="0" y="{y + 5}" fill="#17202a">{escape(who)}</text>'
    )


def _tick(seconds: float, length_s: float, bottom: float) -> str:
    x = _across(seconds, length_s)
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}" stroke="#eceff2"/>'
        f'<text x="{x:.1f}" y="{bottom + 20}" fill="#4d5a67" text-anchor="middle">{seconds} s</text>'
    )


def _dot(event: StoryEvent, x: float, y: float) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y}" r="7" fill="{COLOURS[event.who]}" fill-opacity="0.85" stroke="#fff">'
        f"<title>{escape(plain(event.text))}</title></circle>"
    )
