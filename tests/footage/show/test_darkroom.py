"""Every request is answered, and a good clip is never given up for a worse one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from agent.config.filming import FootageSettings
from agent.footage.show.darkroom import Darkroom
from agent.footage.store.volume import Volume
from agent.helpers.messages import ClipRequest, MediaMade, MediaMissed, StripRequest
from tests.footage.film import FPS, START, clocks, film, store

ALERT = "01KB3ZQ4T0000000000000000"


def clip_to(end: float) -> ClipRequest:
    return ClipRequest(ALERT, START, START.later(end))


def test_a_clip_is_never_replaced_by_one_that_shows_less(tmp_path: Path) -> None:
    index = store(tmp_path, film(8), 2 * FPS)
    darkroom = Darkroom(index, Volume(tmp_path), FootageSettings())
    good = darkroom.clip(clip_to(5))
    assert isinstance(good, MediaMade)
    for segment in sorted((tmp_path / "segments").glob("*.ts"))[:2]:
        segment.unlink()  # a disk that loses its oldest blocks
    missed = darkroom.clip(clip_to(7))
    index.close()
    assert isinstance(missed, MediaMissed)
    assert missed.reason == "the clip made before shows 76 pictures and stays; only 46 of its interval are still stored"
    assert hashlib.sha256(Path(good.path).read_bytes()).hexdigest() == good.sha256
    assert sorted(path.name for path in Path(good.path).parent.iterdir()) == ["clip.mp4", "stretch.json"]


def test_an_earlier_clip_that_cannot_be_opened_is_replaced(tmp_path: Path) -> None:
    index = store(tmp_path, film(4), 2 * FPS)
    darkroom = Darkroom(index, Volume(tmp_path), FootageSettings())
    first = darkroom.clip(clip_to(2))
    assert isinstance(first, MediaMade)
    Path(first.path).write_bytes(b"not a film")
    again = darkroom.clip(clip_to(2))
    index.close()
    assert isinstance(again, MediaMade)
    assert again.sha256 == first.sha256
    assert len(clocks(Path(again.path))) == 2 * FPS + 1


def test_a_strip_without_any_footage_is_missed_with_the_reason(tmp_path: Path) -> None:
    index = store(tmp_path, film(2), 2 * FPS)
    missed = Darkroom(index, Volume(tmp_path), FootageSettings()).strip(StripRequest(ALERT, START.later(-60)))
    index.close()
    assert isinstance(missed, MediaMissed)
    assert (missed.media, missed.reason) == (
        "strip",
        "no frame from 2 s before to 2 s after the moment is stored",
    )
