"""What a camera shows of a person at which distance: the figures of EN 62676-4:2015."""

from __future__ import annotations

from math import radians, tan

import pytest

from agent.commission.aim import LEVELS_PX_PER_M, Aim, AimInvalid

WIDTH_PX, HEIGHT_PX = 1920, 1080


def pole(view_deg: float, at_m: float, *, length_m: float = 1.0) -> Aim:
    """What a lens of this field of view gives of a pole at this distance."""
    px = length_m * WIDTH_PX / (2 * at_m * tan(radians(view_deg / 2)))
    return Aim.measured(
        (960 - px / 2, 540), (960 + px / 2, 540), apart_m=length_m, at_m=at_m, width_px=WIDTH_PX, height_px=HEIGHT_PX
    )


@pytest.mark.parametrize(
    ("view_deg", "reaches"),
    [(66, [5.9, 11.8, 23.7, 59]), (102, [3.1, 6.2, 12.4, 31])],
    ids=["Camera 3", "Camera 3 wide"],
)
@pytest.mark.parametrize("at_m", [1.5, 3.0, 6.0])
def test_the_distances_of_known_lenses_follow_from_a_pole_at_any_distance(
    view_deg: float, reaches: list[float], at_m: float
) -> None:
    aim = pole(view_deg, at_m)
    found = [aim.reaches_m(level) for level in ("identify", "recognise", "observe", "detect")]
    assert found == pytest.approx(reaches, rel=0.02)
    assert aim.view_deg == pytest.approx(view_deg, abs=0.1)


def test_the_levels_are_those_of_the_edition_that_is_named() -> None:
    assert dict(LEVELS_PX_PER_M) == {"identify": 250.0, "recognise": 125.0, "observe": 62.5, "detect": 25.0}


@pytest.mark.parametrize(
    ("px_per_m", "level"),
    [(300, "identify"), (250, "identify"), (249, "recognise"), (70, "observe"), (25, "detect"), (24, None)],
)
def test_the_level_is_the_best_one_that_is_reached(px_per_m: float, level: str | None) -> None:
    assert Aim(px_per_m, 5.0, WIDTH_PX).level == level


def test_a_pixel_off_at_each_end_is_within_five_per_cent() -> None:
    exact = Aim.measured((100, 100), (140, 100), apart_m=1, at_m=5, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    off = Aim.measured((99, 100), (141, 100), apart_m=1, at_m=5, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    assert off.px_per_m == pytest.approx(exact.px_per_m, rel=0.0501)


@pytest.mark.parametrize(
    ("one", "other", "apart_m", "at_m", "why"),
    [
        ((100, 100), (110, 100), 1, 5, "10 pixels apart"),
        ((100, 100), (1920, 100), 1, 5, "not in a picture"),
        ((-1, 100), (500, 100), 1, 5, "not in a picture"),
        ((100, 100), (500, 100), 0, 5, "more than 0"),
        ((100, 100), (500, 100), 1, float("nan"), "more than 0"),
    ],
)
def test_what_gives_no_scale_is_refused(
    one: tuple[float, float], other: tuple[float, float], apart_m: float, at_m: float, why: str
) -> None:
    with pytest.raises(AimInvalid, match=why):
        Aim.measured(one, other, apart_m=apart_m, at_m=at_m, width_px=WIDTH_PX, height_px=HEIGHT_PX)
