"""The operator's screen as a picture of the desk: pure, from state and time to lines of text.

Every line is built from `Text`, never from markup, and every word from the network passed through `plain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from agent.control_room.plain_text import plain
from agent.control_room.units import UnitState
from agent.signals import AckLevel, Category

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.clock import Moment
    from agent.control_room.album import Album
    from agent.control_room.alerts import Alert
    from agent.control_room.desk import Desk
    from agent.control_room.units import Unit

KEYS = "j/k select  a acknowledge  g genuine  f false  t test  q quit"
DETAIL_LINES = 5
UNIT_LINES = 4
"""Units shown on the smallest screen; the ones in trouble come first and the rest are counted."""
FIXED_LINES = 6
"""Header, three rules, the note and the keys."""
FLASH_S = 0.5
"""Half the period in which an unseen alert flashes: 1 Hz, well under the 3 Hz that can harm."""
URGENCY = (Category.HELP, Category.INTRUDER, Category.TAMPER, Category.FAULT, Category.NOISE, Category.TEST)
CATEGORY_STYLE = {
    Category.HELP: "bold white on red",
    Category.INTRUDER: "bold black on yellow",
    Category.TAMPER: "bold black on bright_magenta",
    Category.FAULT: "bold black on bright_cyan",
    Category.NOISE: "bold white on blue",
    Category.TEST: "bold black on white",
}
UNIT_STYLE = {
    UnitState.ONLINE: "green",
    UnitState.RESTARTED: "yellow",
    UnitState.REPLACED: "bold black on bright_magenta",
    UnitState.QUIET: "bold yellow",
    UnitState.LOST: "bold white on red",
    UnitState.STOPPED: "dim",
    None: "dim",
}
_PIECES = (("still", "snapshot"), ("strip", "strip"), ("clip", "clip"))
_TROUBLE = (
    UnitState.LOST,
    UnitState.QUIET,
    UnitState.REPLACED,
    UnitState.RESTARTED,
    UnitState.ONLINE,
    UnitState.STOPPED,
    None,
)


@dataclass(frozen=True)
class Scene:
    """What is to be drawn."""

    desk: Desk
    now: Moment
    trouble: str | None = None
    """Why the broker is not there; None while it is."""
    refused: int = 0
    """Messages that could not be believed."""
    selected: str | None = None
    """The alert the keys act on."""
    album: Album | None = None
    """The pictures that came."""
    note: str = ""
    """The last thing that happened, or what the operator is asked for."""


def in_order(desk: Desk) -> list[Alert]:
    """The alerts as an operator needs them: open, then urgent, then unseen, then newest."""
    return sorted(
        desk.alerts.values(),
        key=lambda alert: (
            alert.closed,
            alert.test,
            URGENCY.index(alert.category),
            not alert.waiting,
            -alert.happened.timestamp(),
        ),
    )


def draw(scene: Scene, width: int, height: int) -> Group:
    """The whole screen, exactly `height` lines of at most `width` cells."""
    alerts = in_order(scene.desk)
    units = sorted(scene.desk.units.values(), key=lambda unit: (_TROUBLE.index(unit.state), unit.key))
    selected = next((alert for alert in alerts if alert.alert_id == scene.selected), None)
    room = max(height - FIXED_LINES - DETAIL_LINES - UNIT_LINES, 1)
    lines = [_header(scene, alerts, units)]
    lines += _padded(_alert_lines(scene, alerts, width, room), room)
    lines.append(_rule("selected", width))
    lines += _padded(_detail(selected, scene), DETAIL_LINES)
    lines.append(_rule("units", width))
    lines += _padded(_unit_lines(units, scene.now), UNIT_LINES)
    lines.append(_rule("", width))
    lines += [Text(plain(scene.note), style="bold"), Text(KEYS, style="reverse")]
    for line in lines:
        line.no_wrap = True
        line.truncate(width, overflow="ellipsis")
    return Group(*lines[:height])


def apology(error: Exception, desk: Desk, note: str) -> Group:
    """What is shown while the desk cannot be drawn: too little, but nothing old that looks like the present."""
    return Group(
        Text(f"THE DESK CANNOT BE DRAWN ({type(error).__name__}): watch another console.", style="bold white on red"),
        Text(f"{len(desk.alerts)} alerts are on it, of {len(desk.units)} units. What happened last:"),
        Text(plain(note), style="bold"),
        Text("q quit", style="reverse"),
    )


def _header(scene: Scene, alerts: Sequence[Alert], units: Sequence[Unit]) -> Text:
    waiting = sum(alert.waiting for alert in alerts)
    gone = sum(unit.state in {UnitState.LOST, UnitState.QUIET} for unit in units)
    line = Text().append("CONTROL ROOM ", style="bold")
    line.append(f"{scene.now.wall.astimezone():%H:%M:%S}  ")
    line.append(f"{waiting} waiting", style="bold red" if waiting else "green")
    line.append(f"  {len(units)} units")
    line.append(f", {gone} lost or quiet" if gone else "", style="bold red")
    line.append(f"  {scene.refused} messages refused" if scene.refused else "", style="yellow")
    line.append(f"  NO BROKER: {plain(scene.trouble)}" if scene.trouble else "", style="bold white on red")
    return line


def _rule(name: str, width: int) -> Text:
    words = f"── {name} " if name else ""
    return Text(words + "─" * max(width - len(words), 0), style="dim")


def _padded(lines: list[Text], count: int) -> list[Text]:
    return (lines + [Text()] * count)[:count]


def _alert_lines(scene: Scene, alerts: Sequence[Alert], width: int, room: int) -> list[Text]:
    if not alerts:
        return [Text("No alerts.", style="dim")]
    chosen = next((row for row, alert in enumerate(alerts) if alert.alert_id == scene.selected), 0)
    top = min(max(chosen - room // 2, 0), max(len(alerts) - room, 0))
    return [_alert_line(alert, scene, width) for alert in alerts[top : top + room]]


def _alert_line(alert: Alert, scene: Scene, width: int) -> Text:
    flashes = alert.waiting and not alert.test and int(scene.now.monotonic_s / FLASH_S) % 2 == 0
    line = Text().append("> " if alert.alert_id == scene.selected else "  ", style="bold")
    line.append(f"{clock_words(alert.age(scene.now)):>7} ")
    line.append(f" {alert.category.upper():<8} ", style=_category_style(alert))
    line.append(" ")
    for mark, style in _marks(alert):
        line.append(f" {mark} ", style=style)
        line.append(" ")
    state = _state(alert)
    head = Text(
        alert.headline, style="dim" if alert.closed else "bold reverse" if flashes else "bold" if alert.waiting else ""
    )
    head.truncate(max(width - line.cell_len - len(state) - 1, 8), overflow="ellipsis", pad=True)
    return line.append_text(head).append(f" {state}", style="yellow" if alert.untold else "dim" if alert.closed else "")


def _category_style(alert: Alert) -> str:
    if alert.closed:
        return "dim"
    return CATEGORY_STYLE[Category.TEST if alert.test else alert.category]


def _marks(alert: Alert) -> list[tuple[str, str]]:
    marks = (
        (alert.test, "TEST", "bold black on white"),
        (alert.late, "LATE", "bold black on yellow"),
        (alert.silent, "SILENT", "bold white on magenta"),
    )
    return [(mark, style) for is_so, mark, style in marks if is_so]


def _state(alert: Alert) -> str:
    if alert.closed:
        outcome = str(alert.outcome or "closed").upper()
        return f"{outcome}, unit not told" if alert.untold else outcome
    if alert.waiting:
        unseen = "MORE SINCE" if alert.outgrown else "NEW"
        return "ESCALATED" if alert.escalated else "OVERDUE" if alert.overdue else unseen
    return f"seen {', '.join(alert.operators())}"[:16]


def _detail(alert: Alert | None, scene: Scene) -> list[Text]:
    if alert is None:
        return [Text("Nothing selected.", style="dim")]
    latest = alert.latest
    when = f"{alert.happened.astimezone():%d %b %H:%M:%S}, {clock_words(alert.age(scene.now))} ago"
    marks = "".join(f"{mark}  " for mark, _ in _marks(alert))
    acks = ", ".join(
        f"{ack.level} r{ack.revision}" + (f" {plain(ack.operator_ref)}" if ack.operator_ref else "")
        for ack in alert.acks[-3:]
    )
    came = ", ".join(f"r{arrival.revision}" for arrival in alert.arrivals[-12:])
    return [
        Text(alert.headline, style="bold"),
        Text(f"{marks}{alert.place}"),
        Text(f"{when}; {alert.unit}; state {plain(latest.data.get('state'))}"),
        Text(
            f"came: {came}"
            + (f"; {alert.duplicates} came twice" if alert.duplicates else "")
            + f"; {_media(alert, scene)}"
        ),
        Text(
            f"acknowledged: {acks or 'not yet'}" + ("" if alert.acked(AckLevel.RECEIVER) else "  (receiver: no)")
        ).append(_untold(alert), style="bold yellow"),
    ]


def _untold(alert: Alert) -> str:
    if alert.outgrown:
        return f"  more came with r{alert.grown_in}: look again"
    if not alert.untold:
        return ""
    return f"  {'closed' if alert.closed else 'seen'}, unit not told yet"


def _media(alert: Alert, scene: Scene) -> str:
    evidence = alert.latest.data.get("evidence") or {}
    pieces = ((name, key, evidence.get(key) or {}) for name, key in _PIECES)
    said = [
        f"{name} {_came(alert, key, scene) or _standing(piece)}" for name, key, piece in pieces if piece.get("status")
    ]
    return ", ".join(said) or "no pictures"


def _came(alert: Alert, key: str, scene: Scene) -> str | None:
    return None if scene.album is None else scene.album.standing(alert, key)


def _standing(piece: Mapping[str, Any]) -> str:
    """How a piece stands; a clip that can be looked at while a longer one is being made is growing."""
    if piece["status"] == "pending" and piece.get("sha256"):
        return "growing"
    return plain(piece["status"])


def _unit_lines(units: Sequence[Unit], now: Moment) -> list[Text]:
    if not units:
        return [Text("No unit has been heard yet.", style="dim")]
    shown = [_unit_line(unit, now) for unit in units[:UNIT_LINES]]
    if len(units) > UNIT_LINES:
        shown[-1] = Text(f"... and {len(units) - UNIT_LINES + 1} more units", style="dim")
    return shown


def _unit_line(unit: Unit, now: Moment) -> Text:
    line = Text(f"{plain(unit.key)}  ")
    line.append(f" {str(unit.state or 'unknown').upper()} ", style=UNIT_STYLE[unit.state])
    if unit.heartbeat:
        line.append(f"  heard {clock_words(timedelta(seconds=now.monotonic_s - unit.last_heard_s))} ago")
    if remark := unit.remark(now.monotonic_s):
        words, ago_s = remark
        line.append(f"  {plain(words)}, {clock_words(timedelta(seconds=ago_s))} ago", style="yellow")
    line.append(f"  {plain(unit.armed)}" if unit.armed else "")
    line.append(f"  {plain('; '.join(unit.faults))}" if unit.faults else "", style="yellow")
    line.append(f"  update {plain(unit.update_pending)}" if unit.update_pending else "", style="yellow")
    line.append(f"  {unit.undelivered} undelivered" if unit.undelivered else "", style="yellow")
    if unit.sequence.missing:
        line.append(f"  missing {', '.join(map(str, unit.sequence.missing))}", style="bold red")
    return line


def clock_words(span: timedelta) -> str:
    """A span as a person reads it off a clock: `0:07`, `12:30`, `3h05`, `2d04h`."""
    seconds = max(int(span.total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days}d{hours % 24:02}h"
    return f"{hours}h{minutes % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
