"""The page that goes to somebody who was not there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from agent.control_room.desk import Desk
from agent.signals import AckLevel, Outcome
from fakes import report
from fakes.report import write_report
from fakes.story import Footage, Latency, Step, Story, StoryEvent, Who
from tests.control_room.wires import COLUMN, MIDNIGHT, ack, after, alert

if TYPE_CHECKING:
    from pathlib import Path

VOID = frozenset({"meta", "img", "br"})
HOSTILE = '<script>alert(1)</script>" onload="x" & \x1b[2J\u202e'


class Reader(HTMLParser):
    """Reads a page as a browser would: every tag, attribute and word, and whether each tag was closed in turn."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """A short story with one late, acknowledged and closed help call that came twice."""
    desk = Desk()
    desk.alert(COLUMN, alert(1, at_s=20, late=True), after(31))
    desk.alert(COLUMN, alert(1, at_s=20, late=True), after(32))
    desk.alert(COLUMN, alert(2, at_s=20), after(33.5))
    desk.acknowledgement(COLUMN, ack(AckLevel.RECEIVER, at_s=31.1), after(31.1))
    desk.acknowledgement(COLUMN, ack(AckLevel.CLOSED, at_s=40, outcome=Outcome.GENUINE), after(40))
    still, strip, clip = tmp_path / "still.jpg", tmp_path / "strip.jpg", tmp_path / "clip.mp4"
    still.write_bytes(b"still")
    strip.write_bytes(b"strip")
    clip.write_bytes(b"clip")
    return Story(
        title="A night on Central Walk",
        unit_id="hk-001",
        unit_name="Hucknall Safe Point",
        location="by the clock",
        began=MIDNIGHT,
        ended=MIDNIGHT + timedelta(seconds=70),
        summary=["Somebody called for help.", "The line was cut."],
        events=[
            StoryEvent(MIDNIGHT + timedelta(seconds=20), Who.SCENE, "Somebody presses the button."),
            StoryEvent(MIDNIGHT + timedelta(seconds=31), Who.CONTROL_ROOM, "The alert comes."),
        ],
        steps=[Step("The lamp lights", ok=True, detail="after 3 ms"), Step("The alert comes once", ok=True)],
        latencies=[Latency.of("Edge to control room", [3.0, 4.0, 9.5])],
        alerts=[*desk.alerts.values()],
        footage=Footage(still=still, strip=strip, clip=clip),
    )


def read(story: Story, tmp_path: Path) -> Reader:
    write_report(tmp_path / "report.html", story)
    return Reader((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_the_page_needs_nothing_from_anywhere_else(story: Story, tmp_path: Path) -> None:
    page = read(story, tmp_path)
    assert not {"script", "link", "iframe", "object", "base"} & {*page.tags}
    assert all(value.startswith("data:") for value in page.values("src"))
    assert page.values("href") == []
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"base64,[^\"]+", "", text))


def test_the_page_tells_the_story(story: Story, tmp_path: Path) -> None:
    words = " ".join(read(story, tmp_path).words.split())
    for told in (
        "A night on Central Walk",
        "Sunday 22 November 2026, 00:00:00 to 00:01:10 (GMT, UTC+0000)",
        "All 2 steps happened",
        "Somebody called for help.",
        "00:00:20.0At the sceneSomebody presses the button.",
        "Help call on Central Walk (r2)",
        "LATE",
        "11.0 s",
        "Came again 1 times, shown once.",
        "closed by an operator op-9 as genuine",
        "9.5 ms",
        "not a Raspberry Pi",
    ):
        assert told in words, told


def test_everybody_can_read_it(story: Story, tmp_path: Path) -> None:
    page = read(story, tmp_path)
    assert page.values("lang") == ["en-GB"]
    assert len(page.values("alt")) == page.tags.count("img") == 2
    assert all(page.values("alt"))
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert [value for tag, name, value in page.attributes if (tag, name) == ("svg", "role")] == ["img"]


def test_words_from_outside_only_show(story: Story, tmp_path: Path) -> None:
    desk = Desk()
    desk.alert(COLUMN, alert(headline=HOSTILE, site=alert()["data"]["site"] | {"plainLocation": HOSTILE}), after(0))
    hostile = replace(
        story,
        title=HOSTILE,
        unit_name=HOSTILE,
        summary=[HOSTILE],
        events=[StoryEvent(MIDNIGHT, Who.UNIT, HOSTILE)],
        steps=[Step(HOSTILE, ok=True, detail=HOSTILE)],
        alerts=[*desk.alerts.values()],
        footage=replace(story.footage, still_caption=HOSTILE),
    )
    page = read(hostile, tmp_path)
    assert "script" not in page.tags
    assert "onload" not in {name for _, name, _ in page.attributes}
    assert "<script>alert(1)</script>" in page.words
    assert "\x1b" not in page.words
    assert "\u202e" not in page.words


def test_a_failed_step_shows_at_the_top(story: Story, tmp_path: Path) -> None:
    page = read(replace(story, steps=[*story.steps, Step("The clip plays", ok=False, detail="no frame")]), tmp_path)
    assert "1 of 3 steps failed" in page.words
    assert "steps happened" not in page.words


def test_a_story_in_which_nothing_was_checked_has_not_happened(story: Story, tmp_path: Path) -> None:
    page = read(replace(story, steps=[]), tmp_path)
    assert "Nothing was checked" in page.words


def test_a_long_clip_is_linked_beside_the_page(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "EMBED_UP_TO_BYTES", 3)
    assert read(story, tmp_path).values("href") == ["clip.mp4"]


def test_a_story_without_pictures_or_alerts_is_still_a_page(story: Story, tmp_path: Path) -> None:
    page = read(replace(story, footage=Footage(), alerts=(), latencies=(), events=()), tmp_path)
    assert "img" not in page.tags
    assert "Every alert" not in page.words


def test_local_time_is_shown_with_its_offset(story: Story, tmp_path: Path) -> None:
    summer = MIDNIGHT.replace(month=6)
    page = read(replace(story, began=summer, ended=summer + timedelta(seconds=70)), tmp_path)
    assert "01:00:00 to 01:01:10 (BST, UTC+0100)" in page.words


def test_a_percentile_needs_enough_samples() -> None:
    assert Latency.of("few", [1.0] * 99).p99_ms is None
    many = Latency.of("many", [float(ms) for ms in range(1, 201)])
    assert (many.n, many.p50_ms, many.p99_ms, many.max_ms) == (200, 100.5, 198.0, 200.0)
    with pytest.raises(ValueError, match="nothing was measured"):
        Latency.of("none", [])
