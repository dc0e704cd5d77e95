"""The demo: plays the night on a street of its own, and leaves what an officer would want to see."""

from __future__ import annotations

import re
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

import agent
from agent import journal
from agent.signals import Category
from fakes.night import EDGE_TO_BROKER, FULL, QUICK, night
from fakes.report import write_report
from fakes.story import Footage, Story
from fakes.teller import StepFailed, Teller
from fakes.town import Town

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.config.settings import Config
    from fakes.night import Pace

SUMMARY = """\
A camera unit guards a shop at night. Somebody walks past the open shop and only the light comes on. After the shop \
is set, the same movement is an intruder alert.
Then a voice in the street says "help me". The unit answers at once by light and voice, calls the control room, and \
shows a second, different signal when an operator has really seen the call. A still, a strip and a clip follow.
At last the network fails, and the panic button is pressed. The unit tells the person to phone, keeps the call, and \
delivers it once, with its own time, as soon as there is a network again.""".splitlines()


class NotForThisProfile(Exception):
    """The story needs something that this kind of unit does not have."""


async def play(out: Path, profile: str, *, quick: bool) -> bool:
    """Play the night and write everything into `out`; True when every step of the story really happened.

    Raises:
        NotForThisProfile: this kind of unit cannot play the story.
        BrokerMissing: there is no mosquitto here.
    """
    console = Console()
    pace = QUICK if quick else FULL
    fresh(out)
    teller = Teller(console)
    # A short path: sockets lie there too, and theirs may have 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="street-") as folder,
        (out / "control-room.log").open("w", encoding="utf-8") as log,
    ):
        journal.set_up(log)
        town = Town(Path(folder), profile, journal=out / "messages.jsonl")
        _must_have_what_the_story_needs(town.config)
        town.rebuild(**_overrides(pace, town.config))
        async with town:
            try:
                await night(town, teller, pace)
            except StepFailed:
                console.print(
                    "[dim]the unit's last lines:[/]\n" + "\n".join(town.unit.log.splitlines()[-12:]), markup=False
                )
            town.unit.terminate()
            await town.unit.ended()
            for took_ms in _edges_to_broker_ms(town):
                teller.measured(EDGE_TO_BROKER, took_ms / 1000)
            footage = _keep_footage(town, out)
            story = _story(town, teller, footage)
        write_report(out / "report.html", story)
        shutil.copy(Path(folder) / "unit.log", out / "unit.log")
    _print_latencies(console, teller)
    happened = story.happened and None not in {footage.still, footage.strip, footage.clip}
    verdict = "[bold green]every step happened[/]" if happened else "[bold red]not every step happened[/]"
    console.print(f"\n{verdict}; look at {out / 'report.html'}")
    return happened


def fresh(out: Path) -> None:
    """Make the folder, without what an earlier demo left there; anything else in it stays."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("messages.jsonl", "still.jpg", "strip.jpg", "clip.mp4", "report.html", "unit.log", "control-room.log"):
        (out / name).unlink(missing_ok=True)


def _overrides(pace: Pace, config: Config) -> dict[str, Any]:
    """What a story of a minute needs other than a unit in the street."""
    # This story's button is pressed openly: its lamp need not wait until it is let go.
    inputs = [each.model_dump(mode="json") | {"silent_after_s": None} for each in config.inputs]
    return {
        "inputs": inputs,
        "arming": {"mode": "manual", "windows": []},  # the story sets it, at whatever time of day it is played
        "lamp": {"on_motion": "always", "on_motion_s": 2.0},
        "camera": {"width_px": 640, "height_px": 360},  # two cores draw, encode, recognise and judge here
        "footage": {
            "pre_event_s": pace.pre_event_s,
            "post_event_s": pace.post_event_s,
            "rolling_max_mb": 200,
        },
        "incidents": {"receiver_late_s": pace.receiver_late_s},
        "uplink": {"late_after_s": min(10.0, pace.receiver_late_s)},
    }


def _must_have_what_the_story_needs(config: Config) -> None:
    kinds = {each.kind.value for each in config.inputs}
    has: Mapping[str, bool] = {
        "a panic button": "button" in kinds,
        "a PIR": "pir" in kinds,
        "a lamp": config.lamp is not None,
        "a speaker": config.speaker.enabled,
        "a microphone that listens for 'help me'": config.voice.enabled
        and any(phrase.say == "help me" for phrase in config.voice.phrases),
        "a camera": config.camera.enabled,
    }
    if missing := [what for what, there in has.items() if not there]:
        msg = f"the profile {config.profile} cannot play the demo's story: it is without {' and '.join(missing)}"
        raise NotForThisProfile(msg)


def _edges_to_broker_ms(town: Town) -> Iterator[float]:
    """From the PIR's edge to the broker's acknowledgement, as the unit's own log says."""
    for alert in town.control_room.alerts.values():
        if alert.category is Category.INTRUDER:
            line = re.search(rf"alert_id={alert.alert_id} revision=1 .*edge_to_broker_ms=([\d.]+)", town.unit.log)
            if line is not None:
                yield float(line[1])


def _keep_footage(town: Town, out: Path) -> Footage:
    """Copy the help call's still, strip and clip out of the unit."""
    calls = [each for each in town.control_room.alerts.values() if each.category is Category.HELP]
    kept: dict[str, Path] = {}
    for name in ("still.jpg", "strip.jpg", "clip.mp4"):
        for call in calls[:1]:
            made = town.config.footage_folder / "incidents" / call.alert_id / name
            if made.exists():
                kept[name] = Path(shutil.copy(made, out / name))
    return Footage(still=kept.get("still.jpg"), strip=kept.get("strip.jpg"), clip=kept.get("clip.mp4"))


def _story(town: Town, teller: Teller, footage: Footage) -> Story:
    unit = town.config.unit
    return Story(
        title="One night at a Safe Space",
        unit_id=unit.id,
        unit_name=unit.name,
        location=unit.location,
        began=teller.began,
        ended=datetime.now(UTC),
        summary=SUMMARY,
        events=teller.events,
        steps=teller.steps,
        latencies=teller.latencies(),
        alerts=tuple(town.control_room.alerts.values()),
        footage=footage,
        timezone=unit.timezone,
        version=agent.__version__,
    )


def _print_latencies(console: Console, teller: Teller) -> None:
    table = Table("measured in this run", "n", "median", "worst", title="\nLatencies", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for latency in teller.latencies():
        table.add_row(latency.name, str(latency.n), f"{latency.p50_ms:.1f} ms", f"{latency.max_ms:.1f} ms")
    console.print(table)
