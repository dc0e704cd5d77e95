"""`safepoint relocate`: one evidence series ends with its site, and nothing is filmed by the masks of another one."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.cli.main import main
from agent.clock import SystemClock
from agent.commission.standing import FILE_NAME, State, read_standing
from agent.config.load import load_config
from agent.daemon import _Plan
from agent.health import series as health
from agent.local import client
from agent.local.place import listen
from agent.local.room import LocalRoom
from agent.series import read_series
from tests.alongside import alongside
from tests.cli.recorded import Unit, moment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.config.settings import Config

REFUSED = 2
FIRST_S = 20
STEPS = 20
"""How often a move renames or removes something."""
NOTED_AT = 2
"""Which of them writes down that it has begun, before any footage goes."""
HELD = ("--from", "2026-11-22T02:00:10Z", "--to", "2026-11-22T02:00:14Z")
PLACE = ("--name", 'Market "B"', "--location", "South end")
MASKS = "camera:\n  masks:\n    - {name: window, points: [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]}  # number 12\n"


class Plug(BaseException):
    """Somebody pulled it."""


@pytest.fixture
def unit(unit: Unit) -> Unit:
    unit.configure(MASKS)
    unit.record(moment("2026-11-22 02:00:00"), FIRST_S)
    unit.says("hold", *HELD, "--ref", "NP 1/26", "--reason", "theft", "--by", "me")
    return unit


def relocate(unit: Unit, *words: str) -> tuple[int, str]:
    unit.screen.readouterr()
    code = main(["relocate", "--config", str(unit.config), "--by", "J. Smith", *words])
    told = unit.screen.readouterr()
    return code, told.out + told.err


def runs_with(unit: Unit) -> Config:
    """The configuration that a daemon which starts now runs with."""
    return _Plan.of(unit.config, judge_files=False).config


def faults(unit: Unit) -> set[str]:
    return set(health.check(runs_with(unit)).faults)


def closed(unit: Unit) -> Path:
    return unit.footage / "closed/1"


def test_held_footage_is_locked_away_and_can_still_be_read_and_the_rest_is_gone(unit: Unit) -> None:
    before = {path.name: path.read_bytes() for path in unit.segments.iterdir()}
    unit.says("export", "case-7", *HELD)
    code, told = relocate(unit, *PLACE)
    assert code == 0, told
    assert not list(closed(unit).rglob("clip.mp4")), "an export is a copy: nobody holds it"
    kept = {path.name: path.read_bytes() for path in (closed(unit) / "segments").iterdir()}
    assert 0 < len(kept) < len(before)
    assert all(before[name] == content for name, content in kept.items())
    assert sorted(path.name for path in unit.footage.iterdir()) == ["closed"]
    listed = main(["footage", "--config", str(closed(unit) / "unit.yaml"), "list", "--json"])
    assert listed == 0
    runs = json.loads(unit.screen.readouterr().out)["runs"]
    assert [run["class"] for run in runs] == ["held"]
    assert "still held on this unit: NP 1/26" in told


def test_what_a_walk_test_proved_at_the_old_site_counts_nowhere_else(unit: Unit) -> None:
    state = runs_with(unit).state_folder
    (state / FILE_NAME).write_text("{}", encoding="utf-8")
    code, told = relocate(unit, *PLACE)
    assert code == 0, told
    assert "every alert is a test until the unit is commissioned there" in told
    assert read_standing(runs_with(unit)).state is State.NONE


def test_the_record_of_a_closed_series_has_the_sum_of_each_file(unit: Unit) -> None:
    relocate(unit, *PLACE)
    record = json.loads((closed(unit) / "closed.json").read_text())
    assert (record["unit"], record["series"], record["location"], record["by"]) == (
        "hk-001",
        1,
        "North end",
        "J. Smith",
    )
    assert record["holds"] == ["NP 1/26"]
    files = {path for path in closed(unit).rglob("*") if path.is_file()} - {closed(unit) / "closed.json"}
    files -= {closed(unit) / "unit.yaml"}
    sums = {str(path.relative_to(closed(unit))): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert record["sha256"] == sums


def test_the_unit_s_file_gets_the_new_place_and_keeps_what_a_person_wrote(unit: Unit) -> None:
    relocate(unit, *PLACE)
    text = unit.config.read_text(encoding="utf-8")
    assert "# number 12" in text
    config = load_config(unit.config).config
    assert (config.unit.name, config.unit.location, config.unit.id) == ('Market "B"', "South end", "hk-001")


def test_nothing_is_filmed_at_the_new_site_until_its_masks_are_approved(unit: Unit) -> None:
    assert runs_with(unit).camera.enabled
    assert faults(unit) == set()
    relocate(unit, *PLACE)
    assert not runs_with(unit).camera.enabled
    assert faults(unit) == {"masks-not-approved"}
    code, told = relocate(unit, "--approve-masks")
    assert (code, "approved by J. Smith for series 2: window" in told) == (0, True)
    assert runs_with(unit).camera.enabled
    assert faults(unit) == set()
    series = read_series(unit.state)
    assert series is not None
    assert series.approved is not None
    assert series.approved.masks == ("window",)


def test_a_damaged_record_films_nothing_and_says_so(unit: Unit) -> None:
    relocate(unit, *PLACE)
    (unit.state / "series.json").write_text("{")
    assert not runs_with(unit).camera.enabled
    assert faults(unit) == {"unreadable"}


def relocate_with_plug(unit: Unit, monkeypatch: pytest.MonkeyPatch, at: int) -> int:
    """Move, with the power failing before the given change of a folder; returns how many of them there were."""
    steps = 0
    with monkeypatch.context() as patched:
        for name in ("rename", "replace", "unlink", "rmdir"):
            original = getattr(Path, name)

            def step(path: Path, *args: object, original: object = original, **more: object) -> object:
                nonlocal steps
                steps += 1
                if steps == at:
                    raise Plug
                return original(path, *args, **more)  # type: ignore[operator]

            patched.setattr(Path, name, step)
        relocate(unit, *PLACE)
    return steps


def test_all_steps_are_tried_below(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    assert relocate_with_plug(unit, monkeypatch, at=0) == STEPS


@pytest.mark.parametrize("at", range(1, STEPS + 1))
def test_a_plug_pulled_at_any_step_films_nothing_wrong_and_the_same_command_ends_it(
    unit: Unit, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(list(unit.segments.iterdir()))
    with pytest.raises(Plug):
        relocate_with_plug(unit, monkeypatch, at)
    begun = read_series(unit.state)
    if begun is None:  # nothing is touched before the old masks are of no use any more
        assert len(list(unit.segments.iterdir())) == before
        assert "Central Walk" in unit.config.read_text()
    else:
        assert not runs_with(unit).camera.enabled
    finished = read_series(unit.state)
    if finished is None or finished.number == 1:
        code, told = relocate(unit, *PLACE)
        assert code == 0, told
    record = json.loads((closed(unit) / "closed.json").read_text())
    assert record["holds"] == ["NP 1/26"]
    kept = {name: digest for name, digest in record["sha256"].items() if name.startswith("segments/")}
    assert len(kept) == 3
    for name, digest in kept.items():
        assert hashlib.sha256((closed(unit) / name).read_bytes()).hexdigest() == digest
    series = read_series(unit.state)
    assert series is not None
    assert (series.number, series.may_film) == (2, False)
    assert load_config(unit.config).config.unit.location == "South end"


def test_a_second_move_needs_that_the_first_one_arrived(unit: Unit) -> None:
    relocate(unit, *PLACE)
    code, told = relocate(unit, "--name", "C", "--location", "d")
    assert (code, "series 2 has not begun" in told) == (REFUSED, True)
    relocate(unit, "--approve-masks")
    code, told = relocate(unit, "--name", "C", "--location", "d")
    assert code == 0, told
    assert (unit.footage / "closed/2/closed.json").exists()
    assert (unit.footage / "closed/1/closed.json").exists()


def test_a_unit_that_is_recording_is_not_moved(unit: Unit) -> None:
    now = SystemClock().now()
    unit.record(now.later(-8.0), 8)
    code, told = relocate(unit, *PLACE)
    assert (code, "stop it first" in told) == (REFUSED, True)
    assert read_series(unit.state) is None


@pytest.fixture
async def agent_that_runs(unit: Unit) -> AsyncIterator[None]:
    """The door of a daemon whose camera gives no picture, as far as `relocate` can see it."""
    door = LocalRoom(
        load_config(unit.config, judge_files=False).config,
        SystemClock(),
        facts=dict,
        report=lambda _: None,
        say=None,
        want_self_test=None,
        read_commissioning=lambda: None,
        cut_off=lambda: False,
    )
    opened = asyncio.Event()
    async with alongside(door.run(opened.set)):
        async with asyncio.timeout(30):
            await opened.wait()
        yield


@pytest.mark.usefixtures("agent_that_runs")
async def test_a_unit_whose_agent_runs_is_not_moved_though_its_camera_gives_nothing(unit: Unit) -> None:
    before = unit.config.read_bytes()
    code, told = await asyncio.to_thread(relocate, unit, *PLACE)
    assert (code, "the agent runs" in told) == (REFUSED, True), told
    assert (read_series(unit.state), unit.config.read_bytes()) == (None, before)


def test_a_unit_whose_agent_hangs_is_not_moved(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWERS_WITHIN_S", 0.05)
    with listen(unit.state):
        code, told = relocate(unit, *PLACE)
    assert (code, "nobody can tell whether the agent is stopped" in told) == (REFUSED, True), told
    assert read_series(unit.state) is None
    code, told = relocate(unit, *PLACE)
    assert code == 0, "what a killed agent leaves of its door is nobody"


@pytest.mark.parametrize("at", [2, 3, 4, 5, 12, STEPS])
def test_a_plug_pulled_at_the_second_move_films_nothing_by_masks_that_were_approved(
    unit: Unit, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    relocate(unit, *PLACE)
    relocate(unit, "--approve-masks")
    unit.record(moment("2026-11-23 02:00:00"), FIRST_S)
    before = sorted(unit.segments.iterdir())
    assert runs_with(unit).camera.enabled
    with pytest.raises(Plug):
        relocate_with_plug(unit, monkeypatch, at)
    begun = at > NOTED_AT
    assert runs_with(unit).camera.enabled != begun
    assert begun or sorted(unit.segments.iterdir()) == before


def test_while_nobody_knows_what_is_held_nothing_is_removed(unit: Unit) -> None:
    (unit.footage / "holds/other.json").write_text("{")
    before = sorted(unit.footage.rglob("*"))
    code, told = relocate(unit, *PLACE)
    assert (code, "nobody knows all that is held" in told) == (REFUSED, True)
    assert sorted(unit.footage.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "--name and --location"),
        ((*PLACE, "--latitude", "53"), "come as a pair"),
        ((*PLACE[:3], "South\nend"), "--location 'South\\nend' has a line break"),
        (("--name", "a\x1b[2J", *PLACE[2:]), "--name 'a\\x1b[2J' has a line break, or what cannot be printed"),
        ((*PLACE, "--latitude", "153", "--longitude", "1"), "unit.latitude"),
        (("--approve-masks",), "never moved"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_touched(
    unit: Unit, words: tuple[str, ...], why: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in unit.state.rglob("*") if path.is_file()}
    code, told = relocate(unit, *words)
    assert (code, why in told) == (REFUSED, True), told
    assert {path: path.stat().st_mtime_ns for path in unit.state.rglob("*") if path.is_file()} == before


def test_coordinates_of_the_old_site_are_not_carried_to_the_new_one(unit: Unit) -> None:
    text = unit.config.read_text().replace("id: hk-001", "id: hk-001, latitude: 53.0, longitude: -1.2")
    unit.config.write_text(text)
    code, told = relocate(unit, *PLACE)
    assert (code, "those of the old site" in told) == (REFUSED, True)
    code, told = relocate(unit, *PLACE, "--latitude", "52.9", "--longitude", "-1.1")
    assert code == 0, told
    assert load_config(unit.config).config.unit.latitude == 52.9
    assert len(re.findall("latitude", unit.config.read_text())) == 1
