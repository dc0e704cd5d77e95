"""What is burned in before encoding: masks that nothing gets past, and a caption that can be read in court."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import av
import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from agent.clock import ClockQuality, Moment
from agent.config.filming import CameraSettings, MaskSettings
from agent.config.settings import UnitSettings
from agent.footage.burn.overlay import Overlay
from agent.footage.burn.placement import caption_spot
from agent.hw.kit import HardwareLost, Picture
from fakes.camera import StreetFilm, SyntheticCamera
from fakes.scene import StreetScene
from tests.footage.caption_reader import read_caption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.footage.burn.masks import Cells
    from agent.hw.kit import Packet

    Luma = NDArray[np.uint8]

UNIT = UnitSettings(id="hk-sp-001", org="town", name="Hucknall Safe Point", location="Central Walk")
WINDOW = MaskSettings(name="window", points=((0.25, 0.3), (0.6, 0.35), (0.4, 0.5), (0.55, 0.7), (0.2, 0.6)))
ROOF = MaskSettings(name="roof", points=((0.0, 0.0), (1.0, 0.0), (1.0, 0.15), (0.0, 0.1)))
SIZES = [(320, 180), (640, 360), (1280, 720), (1920, 1080)]
FPS = 15


class StationClock:
    """A clock that somebody sets by hand."""

    def __init__(self) -> None:
        self.shows = Moment(5_000.0, datetime(2026, 11, 24, 17, 3, 12, tzinfo=UTC), "boot", ClockQuality.UNSYNCED)

    def now(self) -> Moment:
        return self.shows

    def at(self, monotonic_s: float) -> Moment:
        return self.shows.later(monotonic_s - self.shows.monotonic_s)


def camera(
    *masks: MaskSettings,
    size: tuple[int, int] = (320, 180),
    caption: Literal["top", "bottom", "none"] = "top",
    kbps: int = 500,
) -> CameraSettings:
    width_px, height_px = size
    return CameraSettings(
        width_px=width_px, height_px=height_px, fps=FPS, bitrate_kbps=kbps, masks=masks, caption=caption
    )


def overlay(settings: CameraSettings) -> Overlay:
    return Overlay(UNIT, settings, StationClock())


def noise(width_px: int, height_px: int, seed: int = 1) -> Picture:
    dice = np.random.default_rng(seed)
    planes = [(height_px, width_px), (height_px // 2, width_px // 2), (height_px // 2, width_px // 2)]
    return Picture(*(dice.integers(0, 256, shape, dtype=np.uint8) for shape in planes))


def semi_planar(picture: Picture) -> Picture:
    """The same picture as the Pi's encoder takes it: rows padded, both colours interleaved."""
    rows, columns = picture.luma.shape
    luma = np.zeros((rows, columns + 32), dtype=np.uint8)[:, :columns]
    colours = np.zeros((rows // 2, columns + 64), dtype=np.uint8)[:, :columns]
    views = Picture(luma, colours[:, 0::2], colours[:, 1::2])
    for field in dataclasses.fields(Picture):
        getattr(views, field.name)[:] = getattr(picture, field.name)
    return views


def covered(settings: CameraSettings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The masked pixels, and the masked cells."""
    cells: Cells = settings.covered()
    bits = np.array([[row >> column & 1 for column in range(cells.columns)] for row in cells.rows], dtype=np.bool_)
    return bits.repeat(2, axis=0).repeat(2, axis=1), bits


def decoded(packets: list[Packet]) -> list[Luma]:
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    pictures = [picture for packet in packets for picture in decoder.decode(av.Packet(packet.data))]
    pictures += decoder.decode(None)
    return [picture.to_ndarray()[: picture.height].astype(np.uint8) for picture in pictures]


def read(luma: Luma, settings: CameraSettings) -> str:
    assert settings.caption != "none"
    spot = caption_spot(settings.covered(), settings.caption)
    assert spot
    return read_caption(luma, spot)


@pytest.mark.parametrize("semi", [False, True], ids=["planar", "semi-planar"])
def test_nothing_is_left_under_a_mask_and_nothing_is_changed_beside_it(semi: bool) -> None:  # noqa: FBT001 - parametrized
    settings = camera(WINDOW, ROOF, caption="none")
    before, picture = noise(320, 180), noise(320, 180)
    if semi:
        picture = semi_planar(picture)
    overlay(settings)(picture, 5_000.0)
    pixels, cells = covered(settings)
    for drawn, was, mask, black in (
        (picture.luma, before.luma, pixels, 16),
        (picture.cb, before.cb, cells, 128),
        (picture.cr, before.cr, cells, 128),
    ):
        assert (drawn[mask] == black).all()
        assert (drawn[~mask] == was[~mask]).all()


CORNERS = st.tuples(st.floats(0, 1), st.floats(0, 1))


@settings(deadline=None)
@given(st.lists(CORNERS, min_size=3, max_size=6), st.sampled_from(["top", "bottom", "none"]))
def test_a_mask_wins_over_everything_wherever_it_lies(
    points: list[tuple[float, float]], caption: Literal["top", "bottom", "none"]
) -> None:
    try:
        settings = camera(MaskSettings(name="any", points=tuple(points)), caption=caption)
    except ValueError:  # refused as a configuration: no such picture is ever taken
        reject()
    pixels, cells = covered(settings)
    picture = noise(320, 180)
    overlay(settings)(picture, 5_000.0)
    assert (picture.luma[pixels] == 16).all()
    assert (picture.cb[cells] == 128).all()
    assert (picture.cr[cells] == 128).all()
    if settings.caption != "none":
        assert read(picture.luma, settings).startswith("2026-11-24 17:03:12.0 GMT (UTC+00:00)  CLOCK MAY BE WRONG")


def test_a_mask_at_the_captions_edge_hides_no_letter() -> None:
    settings = camera(ROOF, size=(640, 360))
    picture = noise(640, 360)
    overlay(settings)(picture, 5_000.0)
    assert read(picture.luma, settings).endswith("hk-sp-001  cam-1  Hucknall Safe Point")


def test_a_picture_of_another_size_is_refused() -> None:
    small = overlay(camera(WINDOW))
    for width_px, height_px in ((640, 360), (318, 180), (320, 178)):
        with pytest.raises(ValueError, match=f"{width_px} x {height_px} pixels came"):
            small(noise(width_px, height_px), 5_000.0)
    with pytest.raises(ValueError, match="320 x 180 pixels came"):
        small(dataclasses.replace(noise(320, 180), cr=np.zeros((180, 320), dtype=np.uint8)), 5_000.0)


def test_no_camera_films_while_the_overlay_fails() -> None:
    class BrokenClock(StationClock):
        def at(self, monotonic_s: float) -> Moment:
            msg = f"no moment for {monotonic_s}"
            raise OSError(msg)

    settings = camera(WINDOW)
    film = SyntheticCamera(settings, StreetScene(), Overlay(UNIT, settings, BrokenClock()))
    with pytest.raises(HardwareLost, match="no moment for"):
        next(film.packets())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("edge", ["top", "bottom"])
def test_the_caption_is_read_back_from_film_at_500_kbit_a_second(
    size: tuple[int, int], edge: Literal["top", "bottom"]
) -> None:
    clock = StationClock()
    settings = camera(WINDOW, size=size, caption=edge)
    film = StreetFilm(settings, StreetScene(person=True, lit=True), Overlay(UNIT, settings, clock))
    moments = [clock.shows.later(n / FPS) for n in range(2 * FPS)]
    shown = [read(luma, settings) for luma in decoded([film.shoot(at) for at in moments])[:: FPS - 1]]
    who = "  hk-sp-001  cam-1  Hucknall Safe Point" if size[0] > 320 else "  hk-sp-0.."
    assert shown == [
        f"2026-11-24 17:03:{second} GMT (UTC+00:00)  CLOCK MAY BE WRONG{who}" for second in ("12.0", "12.9", "13.8")
    ]


def test_a_clock_that_is_set_shows_in_the_very_next_picture() -> None:
    clock = StationClock()
    settings = camera()
    drawn = Overlay(UNIT, settings, clock)
    shown = []
    for quality, wall in (
        (ClockQuality.UNSYNCED, datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)),
        (ClockQuality.SYNCED, datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC)),
        (ClockQuality.HOLDOVER, datetime(2026, 10, 25, 1, 0, 0, tzinfo=UTC)),
    ):
        clock.shows = Moment(5_000.0, wall, "boot", quality)
        picture = noise(320, 180)
        drawn(picture, 5_000.0)
        shown.append(read(picture.luma, settings).partition("  hk")[0])
    assert shown == [
        "1970-01-01 01:00:07.0 BST (UTC+01:00)  CLOCK MAY BE WRONG",
        "2026-10-25 01:59:59.0 BST (UTC+01:00)  clock checked",
        "2026-10-25 01:00:00.0 GMT (UTC+00:00)  clock checked earlier",
    ]


def test_a_picture_shows_its_own_moment_however_late_it_is_drawn() -> None:
    settings = camera()
    picture = noise(320, 180)
    overlay(settings)(picture, 5_000.0 - 2.25)
    assert read(picture.luma, settings).startswith("2026-11-24 17:03:09.7 GMT")


def test_the_same_moment_over_two_scenes_is_the_same_caption() -> None:
    settings = camera()
    one, other = noise(320, 180, seed=1), noise(320, 180, seed=2)
    for picture in (one, other):
        overlay(settings)(picture, 5_000.0)
    same = np.flatnonzero((one.luma == other.luma).all(axis=1) | (one.luma[:, :300] == other.luma[:, :300]).all(axis=1))
    assert list(same) == list(range(14))
    assert (one.cb[:7, :150] == 128).all()
    assert (one.cr[:7, :150] == 128).all()


@pytest.mark.parametrize("module", ["agent.daemon", "agent.voice.listener", "agent.cli.check"])
def test_only_the_recorder_loads_what_draws(module: str) -> None:
    look = f"import sys, {module}; sys.exit(' '.join({{'PIL', 'agent.footage.burn.overlay'}} & set(sys.modules)) or 0)"
    subprocess.run([sys.executable, "-c", look], check=True)


def test_pictures_follow_each_other_with_the_tenth_of_their_own_moment() -> None:
    clock = StationClock()
    settings = camera()
    drawn = Overlay(UNIT, settings, clock)
    shown = []
    for n in range(12):
        picture = noise(320, 180)
        drawn(picture, 5_000.0 + n / 10 + 0.01)
        shown.append(read(picture.luma, settings)[11:21])
    assert all(earlier < later for earlier, later in itertools.pairwise(shown))
