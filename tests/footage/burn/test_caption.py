"""What is written in every picture: true to the tenth in every zone, and never without time and clock quality."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.clock import ClockQuality, Moment
from agent.config.settings import UnitSettings
from agent.footage.burn.caption import BETWEEN, CLOCK_WORDS, CUT, LETTERS, Caption, Lettering, local_time, plain
from agent.footage.burn.masks import Cells
from agent.footage.burn.placement import LEAST_PX, MARGIN_PX, NEEDED_EMS, Spot, caption_spot
from tests.footage.caption_reader import read_caption

LONDON = ZoneInfo("Europe/London")
ZONES = sorted(available_timezones())
SAID = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d) (?:[A-Za-z]+ \()?UTC([+-]\d\d:\d\d)\)?")
NIGHT = datetime(2026, 11, 24, 17, 3, 12, 412_000, tzinfo=UTC)
MUST = "2026-11-24 17:03:12.4 GMT (UTC+00:00)  clock checked"


def spot(width_px: int = 1280, height_px: int = 720) -> Spot:
    found = caption_spot(Cells.none(width_px, height_px), "top")
    assert found
    return found


def caption(
    name: str = "Hucknall Safe Point", width_px: int = 1280, height_px: int = 720, camera: str = "cam-1"
) -> Caption:
    unit = UnitSettings(id="hk-sp-001", org="town", name=name, location="Central Walk")
    return Caption(unit, camera, spot(width_px, height_px))


def at(wall: datetime = NIGHT, quality: ClockQuality = ClockQuality.SYNCED) -> Moment:
    return Moment(5_000.0, wall, "boot", quality)


@pytest.mark.parametrize(
    ("utc", "said"),
    [
        ("2026-10-25T00:59:59.999999", "2026-10-25 01:59:59.9 BST (UTC+01:00)"),
        ("2026-10-25T01:00:00.000000", "2026-10-25 01:00:00.0 GMT (UTC+00:00)"),
        ("2026-03-29T00:59:59.999999", "2026-03-29 00:59:59.9 GMT (UTC+00:00)"),
        ("2026-03-29T01:00:00.000000", "2026-03-29 02:00:00.0 BST (UTC+01:00)"),
    ],
)
def test_both_clock_changes_are_told_to_the_tenth(utc: str, said: str) -> None:
    assert local_time(datetime.fromisoformat(utc).replace(tzinfo=UTC), LONDON) == said


def test_no_two_seconds_of_the_hour_that_comes_twice_look_alike() -> None:
    began = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    said = [local_time(began + timedelta(seconds=n), LONDON) for n in range(3 * 3600)]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "2026-11-24 17:03:12.4 UTC+00:00"),
        ("Australia/Lord_Howe", "2026-11-25 04:03:12.4 UTC+11:00"),
        ("Asia/Kathmandu", "2026-11-24 22:48:12.4 UTC+05:45"),
        ("America/New_York", "2026-11-24 12:03:12.4 EST (UTC-05:00)"),
    ],
)
def test_a_zone_without_a_name_of_its_own_is_told_by_its_offset(zone: str, said: str) -> None:
    assert local_time(NIGHT, ZoneInfo(zone)) == said


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - timezones= is it
    st.sampled_from([zone for zone in ZONES if zone != "Africa/Monrovia"]),
)
def test_the_moment_can_be_read_back_from_the_text_in_every_zone(wall: datetime, zone: str) -> None:
    said = SAID.fullmatch(local_time(wall, ZoneInfo(zone)))
    assert said
    back = datetime.fromisoformat(f"{said[1]}.{said[2]}00000{said[3]}")
    assert timedelta(0) <= wall - back < timedelta(milliseconds=100), "the tenth that has begun"


def test_the_offset_of_a_zone_that_once_had_seconds_in_it_is_told_whole() -> None:
    assert local_time(datetime(1970, 6, 1, tzinfo=UTC), ZoneInfo("Africa/Monrovia")).endswith("(UTC-00:44:30)")


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        (ClockQuality.SYNCED, "clock checked"),
        (ClockQuality.HOLDOVER, "clock checked earlier"),
        (ClockQuality.UNSYNCED, "CLOCK MAY BE WRONG"),
    ],
)
def test_the_clocks_quality_is_said_in_words(quality: ClockQuality, words: str) -> None:
    said = caption().text(at(quality=quality))
    assert said == f"2026-11-24 17:03:12.4 GMT (UTC+00:00)  {words}  hk-sp-001  cam-1  Hucknall Safe Point"


def test_a_name_that_is_too_long_is_cut_at_its_end_and_shows_it() -> None:
    said = caption(name="Central Walk " * 20).text(at())
    assert said.startswith(f"{MUST}  hk-sp-001  cam-1  Central Walk Central")
    assert said.endswith(CUT)


def test_in_a_small_picture_the_names_go_and_the_time_stays() -> None:
    assert caption(width_px=320, height_px=180).text(at()).startswith(f"{MUST}  hk-sp")
    assert caption(width_px=276, height_px=180, name="W" * 100_000).text(at()).startswith(MUST)


def test_time_and_quality_fit_into_the_least_room_in_every_zone_and_size() -> None:
    walls = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 7)]
    times = {local_time(wall, ZoneInfo(zone)) for zone in ZONES for wall in walls}
    longest = max(CLOCK_WORDS.values(), key=len), CLOCK_WORDS[ClockQuality.UNSYNCED]
    for letters_px in range(LEAST_PX, 61):
        lettering = Lettering(letters_px, letters_px)
        widest = max(lettering.width_px(f"{time}{BETWEEN}{words}") for time in times for words in longest)
        assert widest <= NEEDED_EMS * letters_px, letters_px


def test_a_place_too_small_for_the_time_is_a_failure_and_no_caption_without_it() -> None:
    unit = UnitSettings(id="sp-1", org="town", name="Safe Point", location="Central Walk")
    with pytest.raises(ValueError, match="wider than its place of 200 pixels"):
        Caption(unit, "cam-1", Spot(0, 0, 200, 14, 10)).line(at())


@settings(deadline=None)
@given(st.text(min_size=1), st.text(), st.sampled_from([(320, 180), (1280, 720)]))
def test_any_name_is_drawn_and_never_leaves_its_place(name: str, camera: str, size: tuple[int, int]) -> None:
    drawn = caption(name, *size, camera).line(at())
    assert drawn.shape[0] == spot(*size).height_px
    assert drawn.shape[1] <= size[0]
    assert drawn.shape[1] % 2 == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Hucknall \N{EN DASH} Central Walk (opp. “Boots”)", 'Hucknall - Central Walk (opp. "Boots")'),
        ("Ysbyty Gŵyr", "Ysbyty Gwyr"),
        ("Café Zoë, Łódź", "Cafe Zoe, Lodz"),
        ("Straße", "Strasse"),
        ("公園 1", "?? 1"),
        ("\0\n\ud800", "???"),
        ("🚨", "?"),
    ],
)
def test_what_the_letters_cannot_show_is_spelt_or_stands_as_a_question_mark(name: str, shown: str) -> None:
    assert plain(name) == shown


def test_letters_can_be_told_from_each_other_at_every_usual_size() -> None:
    for letters_px in (9, 20):
        place = Spot(0, 0, 4000, letters_px * 13 // 10 // 2 * 2 + 2, letters_px)
        line = np.hstack([np.full((place.height_px, MARGIN_PX), 16, np.uint8), _written(LETTERS[1:], place)])
        assert read_caption(line, place) == LETTERS[1:]


def _written(text: str, place: Spot) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return Lettering(place.letters_px, place.height_px).write(text)
