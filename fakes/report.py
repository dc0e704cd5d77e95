"""One page that tells a run of the simulated street to somebody who was not there: a police officer, a councillor.

The page is one file that needs nothing else: no script, no network, the pictures inside it. Every word that came
from anywhere but this file is escaped.
"""

from __future__ import annotations

import base64
import os
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from agent.control_room.plain_text import plain
from agent.signals import AckLevel
from fakes.lanes import draw_lanes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from agent.control_room.alerts import AckGiven, Alert, Arrival
    from fakes.story import Footage, Latency, Step, Story, StoryEvent

EMBED_UP_TO_BYTES = 8_000_000
"""A longer clip is linked: past this size mail systems refuse the page and phones open it slowly."""
SMALL_PRINT = (
    "The street, the people and the sounds in it were simulated: the picture is drawn, with a frame clock in it so "
    "that delays can be read off, and no real person was recorded.\n"
    "Unit, message broker and control room ran on one computer and spoke over its own loopback network. Over a mobile "
    "network delays are longer.\n"
    "The software is the one that runs on a Raspberry Pi, but this was not a Raspberry Pi: its pins were simulated, "
    "and the computer has another speed.\n"
    "The control room was a program that answered at set moments, not a trained operator."
).splitlines()
ACK_WORDS = {
    AckLevel.RECEIVER: "received by the control room's machine",
    AckLevel.OPERATOR: "seen by an operator",
    AckLevel.CLOSED: "closed by an operator",
}


def write_report(path: Path, story: Story) -> None:
    """Write the story as one self-contained HTML page.

    Args:
        path: Where the page goes; a clip too long to embed is linked from here.
        story: What happened. Pictures that are named must exist.

    Raises:
        OSError: a picture cannot be read or the page not written.
    """
    page = Template(files("fakes").joinpath("report.html").read_text(encoding="utf-8"))
    zone = ZoneInfo(story.timezone)
    failed = sum(not step.ok for step in story.steps)
    verdict = (
        f"All {len(story.steps)} steps happened" if story.happened else f"{failed} of {len(story.steps)} steps failed"
    )
    html = page.substitute(
        title=_esc(story.title),
        unit_name=_esc(story.unit_name),
        unit_id=_esc(story.unit_id),
        location=_esc(story.location),
        began=_esc(_span(story.began.astimezone(zone), story.ended.astimezone(zone))),
        verdict=_esc(verdict if story.steps else "Nothing was checked"),
        verdict_class="pass" if story.happened else "fail",
        summary="\n".join(f"<p>{_esc(paragraph)}</p>" for paragraph in story.summary),
        pictures=_pictures(story.footage, path.parent),
        lanes=draw_lanes(story.events, story.began, story.ended),
        events="\n".join(_event(event, zone) for event in sorted(story.events, key=lambda event: event.at)),
        alerts=_alerts(story.alerts, zone),
        latencies=_latencies(story.latencies),
        steps="\n".join(_step(step) for step in story.steps),
        small_print="\n".join(f"<li>{_esc(line)}</li>" for line in (*SMALL_PRINT, *story.small_print)),
        footer=_esc(f"Written by the Safe Point edge agent {story.version}".strip() + f". Times are {story.timezone}."),
    )
    path.write_text(html, encoding="utf-8")


def _esc(text: object) -> str:
    """The text as HTML that only shows, in an element or a quoted attribute."""
    return escape(plain(text, longest=4000), quote=True)


def _span(began: datetime, ended: datetime) -> str:
    return f"{began:%A} {began.day} {began:%B %Y}, {began:%H:%M:%S} to {ended:%H:%M:%S} ({began:%Z}, UTC{began:%z})"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    """Local time to a tenth of a second, as a `time` element that also carries the exact UTC."""
    local = at.astimezone(zone)
    return f'<time datetime="{_esc(at.isoformat())}">{local:%H:%M:%S}.{local.microsecond // 100_000}</time>'


def _section(anchor: str, heading: str, body: str) -> str:
    return f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{heading}</h2>\n{body}\n</section>'


def _chip(text: str, look: str) -> str:
    return f'<span class="chip {look}">{_esc(text)}</span>'


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already; a column named with a leading `#` holds numbers."""
    looks = [' class="number"' if column.startswith("#") else "" for column in columns]
    heads = "".join(
        f'<th scope="col"{look}>{column.removeprefix("#")}</th>' for look, column in zip(looks, columns, strict=True)
    )
    body = "".join(
        f"<tr>{''.join(f'<td{look}>{cell}</td>' for look, cell in zip(looks, row, strict=True))}</tr>" for row in rows
    )
    return (
        f'<div class="scroll"><table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _pictures(footage: Footage, folder: Path) -> str:
    figures = []
    for what, image, caption in (
        ("Still", footage.still, footage.still_caption),
        ("Strip", footage.strip, footage.strip_caption),
    ):
        if image is not None:
            figures.append(
                f'<figure><img src="{_data_uri(image, "image/jpeg")}" alt="{what}: {_esc(caption)}">'
                f"<figcaption>{_esc(caption)}</figcaption></figure>"
            )
    if footage.clip is not None:
        figures.append(
            f"<figure>{_clip(footage.clip, folder)}<figcaption>{_esc(footage.clip_caption)}</figcaption></figure>"
        )
    return (
        _section("pictures", "What the camera saw", f'<div class="pictures">{"".join(figures)}</div>')
        if figures
        else ""
    )


def _clip(clip: Path, folder: Path) -> str:
    if clip.stat().st_size <= EMBED_UP_TO_BYTES:
        return f'<video controls preload="metadata" aria-label="Clip" src="{_data_uri(clip, "video/mp4")}"></video>'
    link = _esc(os.path.relpath(clip, folder))
    return f'<p><a href="{link}">Play the clip ({clip.stat().st_size / 1e6:.0f} MB, a file beside this page)</a></p>'


def _data_uri(file: Path, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(file.read_bytes()).decode('ascii')}"


def _event(event: StoryEvent, zone: ZoneInfo) -> str:
    who = f'<span class="who {event.who.name.lower().replace("_", "-")}">{_esc(event.who)}</span>'
    return f"<li>{_clock(event.at, zone)}{who}<span>{_esc(event.text)}</span></li>"


def _alerts(alerts: Sequence[Alert], zone: ZoneInfo) -> str:
    if not alerts:
        return ""
    return _section("alerts", "Every alert the control room got", "\n".join(_alert(alert, zone) for alert in alerts))


def _alert(alert: Alert, zone: ZoneInfo) -> str:
    marks = [(alert.category.upper(), "grey")]
    marks += [("LATE", "warn")] * alert.late + [("TEST", "warn")] * alert.test + [("SILENT", "warn")] * alert.silent
    ending = f"closed: {alert.outcome or 'no outcome given'}" if alert.closed else "still open"
    again = f" Came again {alert.duplicates} times, shown once." if alert.duplicates else ""
    return (
        f"<article><h3>{_esc(alert.headline)}</h3>"
        f"<p>{''.join(_chip(*mark) for mark in marks)} {_esc(alert.place)}<br>"
        f'<span class="soft small">{_esc(alert.alert_id)}; {_esc(ending)}.{_esc(again)}</span></p>'
        f"{_revisions(alert.arrivals, zone)}{_acks(alert.acks, zone)}</article>"
    )


def _revisions(arrivals: Iterable[Arrival], zone: ZoneInfo) -> str:
    rows = (
        (
            str(arrival.revision),
            _clock(arrival.happened, zone),
            _clock(arrival.received.wall, zone),
            _delay(arrival.received.wall - arrival.happened),
            _esc(arrival.data.get("headline", "")),
        )
        for arrival in arrivals
    )
    columns = ("#No.", "Happened", "Arrived", "#Took", "What it said")
    return _table("Revisions, in the order in which they came", columns, rows)


def _acks(acks: Sequence[AckGiven], zone: ZoneInfo) -> str:
    if not acks:
        return "<p>Nobody acknowledged it.</p>"
    return f'<ul class="small">{"".join(f"<li>{_ack(ack, zone)}</li>" for ack in acks)}</ul>'


def _ack(ack: AckGiven, zone: ZoneInfo) -> str:
    words = f"revision {ack.revision} {ACK_WORDS[ack.level]}"
    words += f" {ack.operator_ref}" if ack.operator_ref else ""
    words += f" as {ack.outcome}" if ack.outcome else ""
    words += f" ({ack.cause})" if ack.cause else ""
    return f"{_clock(ack.at, zone)} {_esc(words)}"


def _delay(taken: timedelta) -> str:
    seconds = taken.total_seconds()
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 1 else f"{seconds:.1f} s"


def _latencies(latencies: Sequence[Latency]) -> str:
    if not latencies:
        return ""
    rows = ((_esc(item.name), str(item.n), _ms(item.p50_ms), _ms(item.p99_ms), _ms(item.max_ms)) for item in latencies)
    columns = ("From, to", "#Times", "#Typical", "#99 of 100", "#Worst")
    caption = "Measured in this run; half of all times were at or below the typical one"
    return _section("latencies", "How quick it was", _table(caption, columns, rows))


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3g} ms" if value < 1000 else f"{value / 1000:.3g} s"  # noqa: PLR2004


def _step(step: Step) -> str:
    detail = f'<br><span class="soft small">{_esc(step.detail)}</span>' if step.detail else ""
    chip = _chip("Yes", "pass") if step.ok else _chip("NO", "fail")
    return f"<li>{chip}<span>{_esc(step.name)}{detail}</span></li>"
