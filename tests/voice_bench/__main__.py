"""`./dev voice-bench`: what the unit hears of calls for help, and of talk that is none, beside others in the same run.

All sound is made from seeds, by voices that trained nothing; it is kept below build/voice-bench, and so is what was
heard of each tape: a bench that was stopped goes on where it was. With 20 hours of talk it takes some 5 hours on two
cores, with --quick some minutes.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from voicemodel.speak import CannotSay

from tests.voice_bench import costs, plans, played, report, runs
from tests.voice_bench.engines import ENGINES, OURS
from tests.voice_bench.hits import loud_enough
from tests.voice_bench.ordinary import NoFortunes, ordinary
from tests.voice_bench.phrase_sets import all_phrases
from tests.voice_bench.picture import draw
from tests.voice_bench.play import play
from tests.voice_bench.speech import say_all

if TYPE_CHECKING:
    from collections.abc import Callable

TELL_EVERY_S = 30.0
WIDTH = 190
"""Columns of the tables: four contenders stand side by side."""


@dataclass(frozen=True)
class Size:
    """How much is played."""

    hours: float
    """Of talk."""
    shared_hours: float
    """Of these, what everybody hears with all sets of phrases, and the curve's engine too: six runs for one of ours."""
    calls: int
    """In each condition, kind of voice and bed of noise."""
    quiet_minutes: float
    clips_share: int
    """One in so many of people's recordings."""
    memory_hours: float
    """Of a street, that memory is watched over."""


FULL, QUICK = Size(20.0, 2.0, 16, 10.0, 1, 24.0), Size(0.5, 0.5, 2, 5.0, 4, 1.0)


@dataclass(frozen=True)
class Wanted:
    """What is asked for."""

    size: Size
    engines: tuple[str, ...]
    recordings: Path | None


def progress(console: Console, what: str) -> Callable[[int, int], None]:
    """Tells how far it is, each half minute and at the end."""
    began_s = told_s = time.monotonic()

    def tell(done: int, whole: int) -> None:
        nonlocal told_s
        if done == whole or time.monotonic() - told_s >= TELL_EVERY_S:
            told_s = time.monotonic()
            console.print(f"{what}: {done} of {whole}, {told_s - began_s:.0f} s")

    return tell


def measure(console: Console, wanted: Wanted, kept: Path) -> tuple[list[runs.Run], dict[str, Any]]:
    """Make the speech, play the tapes, weigh the costs; what was found so far is always in the file `kept`."""
    workers = os.cpu_count() or 1
    sentences = ordinary(all_phrases())
    talk = plans.talk(wanted.size.hours, sentences, wanted.size.shared_hours, people=wanted.recordings is not None)
    # The longest first, so that no core waits for another at the end.
    tapes = [
        *talk,
        *(plans.clips(wanted.recordings, wanted.size.clips_share) if wanted.recordings else ()),
        *plans.calls(wanted.size.calls, sentences),
    ]
    say_all(plans.lines_of(tapes), workers, progress(console, "lines said"))
    console.print("CPU in a quiet night")
    weighed: dict[str, Any] = {
        "quiet_cpu_s_per_hour": costs.quiet_cpu_s_per_hour(wanted.engines, wanted.size.quiet_minutes)
    }
    found: list[runs.Run] = []
    spoken = [plan for plan in talk if plan.kind in plans.SPOKEN]
    hours = wanted.size.memory_hours if OURS in wanted.engines else 0
    with costs.memory(spoken[:: max(1, len(spoken) // 6)], hours) if hours else nullcontext() as memory:
        tell = progress(console, "tapes played")
        jobs = [(plan, wanted.engines) for plan in tapes]
        for done, of_tape in enumerate(played.play_all(jobs, play, workers), 1):
            found += of_tape
            runs.save(kept, found, weighed)
            tell(done, len(tapes))
        if memory:
            console.print(f"memory over {hours:g} h")
            weighed["memory"] = memory()
            runs.save(kept, found, weighed)
    return found, weighed


def show(console: Console, found: list[runs.Run], weighed: dict[str, Any], out: Path) -> None:
    """Print the tables; write them for the README, and the picture."""
    texts = []
    for part in report.parts(found, weighed):
        console.print(part.rich())
        texts.append(part.markdown())
    (out / "tables.md").write_text("\n".join(texts), encoding="utf-8")
    draw(found, out / "det.png")
    console.print(f"tables, picture and results are in {out}")


def arguments() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="./dev voice-bench", description=__doc__)
    parser.add_argument("--hours", type=float, help=f"hours of talk ({FULL.hours:g}; with --quick {QUICK.hours:g})")
    parser.add_argument(
        "--shared-hours",
        type=float,
        help=f"of these, hours that all engines hear, with all phrases ({FULL.shared_hours:g})",
    )
    parser.add_argument(
        "--quick", action="store_true", help="an eighth of the calls, a quarter of the recordings: minutes, not hours"
    )
    parser.add_argument("--recordings", type=Path, help="people's recordings: folders alexa, jarvis, snowboy of FLAC")
    parser.add_argument("--engines", default=",".join(ENGINES), help=f"of {','.join(ENGINES)}")
    parser.add_argument(
        "--memory-hours",
        type=float,
        help=f"hours that memory is watched over ({FULL.memory_hours:g}; with --quick {QUICK.memory_hours:g})",
    )
    parser.add_argument("--out", type=Path, default=Path("build/voice-bench/results"), help="where results go")
    parser.add_argument("--from", dest="kept", type=Path, metavar="JSON", help="only show the results kept there")
    parser.add_argument(
        "--at", type=float, metavar="CONFIDENCE", help="with --from: ours with words at least this sure"
    )
    return parser


def main() -> None:
    """Do what is asked."""
    parser = arguments()
    asked = parser.parse_args()
    engines = tuple(asked.engines.split(","))
    if strange := set(engines) - set(ENGINES):
        parser.error(f"there is no engine {', '.join(sorted(strange))}; there are {', '.join(ENGINES)}")
    if asked.recordings and not asked.recordings.is_dir():
        parser.error(f"there is no folder {asked.recordings}")
    asked.out.mkdir(parents=True, exist_ok=True)
    console = Console(width=WIDTH)
    if asked.kept:
        try:
            found, weighed = runs.load(asked.kept)
        except (OSError, ValueError, KeyError, TypeError) as error:
            parser.error(f"{asked.kept} holds no results: {error}")
        if asked.at is not None:
            found = [
                replace(run, hits=tuple(loud_enough(run.hits, asked.at))) if run.engine == OURS else run
                for run in found
            ]
        show(console, found, weighed, asked.out)
        return
    usual = QUICK if asked.quick else FULL
    hours = asked.hours or usual.hours
    shared_hours = hours if OURS not in engines else min(hours, asked.shared_hours or usual.shared_hours)
    memory_hours = usual.memory_hours if asked.memory_hours is None else asked.memory_hours
    size = replace(usual, hours=hours, shared_hours=shared_hours, memory_hours=memory_hours)
    try:
        wanted = Wanted(size, engines, asked.recordings)
        found, weighed = measure(console, wanted, asked.out / "results.json")
    except (NoFortunes, CannotSay) as missing:
        parser.error(str(missing))
    show(console, found, weighed, asked.out)


if __name__ == "__main__":
    main()
