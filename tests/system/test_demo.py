"""`safepoint demo` plays the whole story on the real daemon and leaves what it promises."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import av
import pytest

from fakes.frame_clock import read_frame_clock

if TYPE_CHECKING:
    from pathlib import Path

STILL_MAX_BYTES = 60_000


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo that was played once for all these tests."""
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "agent.cli.main", "demo", "--quick", "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    assert "edge to broker acknowledgement" in result.stdout
    assert "end of phrase to alert" in result.stdout
    return out


def test_every_message_is_kept_as_a_line_of_json(played: Path) -> None:
    lines = [json.loads(line) for line in (played / "messages.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(line.keys() >= {"topic", "received_at", "payload"} for line in lines)
    topics = {line["topic"].rsplit("/", 1)[-1] for line in lines}
    assert topics >= {"status", "heartbeat", "help", "intruder"}


def test_the_heartbeat_shows_how_the_microphone_hears(played: Path) -> None:
    lines = [json.loads(line) for line in (played / "messages.jsonl").read_text(encoding="utf-8").splitlines()]
    beats = [line["payload"]["data"] for line in lines if line["topic"].endswith("/heartbeat")]
    (microphone,) = next(beat["mics"] for beat in reversed(beats) if "mics" in beat)
    assert microphone["id"] == "mic-1"
    assert 9 < microphone["blocksPerS"] < 11
    assert microphone["floorDbfs"] < microphone["ceilingDbfs"]


def test_revisions_of_each_alert_came_once_and_in_order(played: Path) -> None:
    revisions: dict[str, list[int]] = {}
    for text in (played / "messages.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if "/alert/" in line["topic"]:
            data = line["payload"]["data"]
            revisions.setdefault(data["alertId"], []).append(data["revision"])
    for seen in revisions.values():
        assert list(dict.fromkeys(seen)) == list(range(1, max(seen) + 1))


def test_the_clip_plays_and_begins_before_the_call(played: Path) -> None:
    with av.open(str(played / "clip.mp4")) as clip:
        clocks = [read_frame_clock(frame.to_ndarray(format="gray").astype("uint8")) for frame in clip.decode(video=0)]
    taken_ms = [clock.taken_ms for clock in clocks]
    assert taken_ms == sorted(taken_ms)
    assert taken_ms[-1] - taken_ms[0] >= 4_000, "two seconds before the call and two after it, in the quick story"


@pytest.mark.parametrize("name", ["still.jpg", "strip.jpg"])
def test_still_and_strip_are_small_enough_for_a_message(played: Path, name: str) -> None:
    picture = (played / name).read_bytes()
    assert picture.startswith(b"\xff\xd8")
    assert len(picture) <= STILL_MAX_BYTES


def test_the_report_tells_the_story_in_one_file(played: Path) -> None:
    report = (played / "report.html").read_text(encoding="utf-8")
    assert "All 9 steps happened" in report
    assert "data:image/jpeg;base64," in report
    assert "data:video/mp4;base64," in report


def test_a_profile_that_cannot_play_the_story_is_refused_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agent.cli.main", "demo", "--profile", "roadside", "--out", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert result.returncode == 2
    assert result.stderr.startswith("safepoint: the profile roadside cannot play")
    assert result.stderr.count("\n") == 1
