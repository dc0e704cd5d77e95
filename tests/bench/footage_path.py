"""What storing and cutting cost, beside FFmpeg's command on the same packets: `-c copy` in, `-c copy` out.

CPU time is user + system of the whole process, as the kernel tells when it has ended, less that of the same command
over one second of film: interpreter, imports and option parsing are not what is compared. Each is run several times in
turn, and the least counts: what disturbs a run only ever adds to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.config.filming import FootageSettings
from tests.bench.clip_path import CLIP_AFTER_S
from tests.bench.figures import Row
from tests.bench.film import SETTINGS, shoot, store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SYNC_S, SEGMENT_S = FootageSettings().sync_s, FootageSettings().segment_s
ROUNDS = 5
FILM_S, CLIP_S = 600, 300
SHORT_S = 1
FFMPEG = ("ffmpeg", "-v", "error", "-nostdin", "-y")
FORMAT_OPTIONS = {
    "mpegts": (),
    "mp4": ("-segment_format_options", "movflags=+frag_keyframe+delay_moov+default_base_moof"),
}
ENDING = {"mpegts": "ts", "mp4": "mp4"}
AIM = 1.2


@dataclass(frozen=True)
class Cost:
    """Of one process."""

    cpu_s: float
    wall_s: float
    """As the process itself tells, where it prints a number."""

    def less(self, start_up: Cost) -> Cost:
        """What the work itself cost."""
        return Cost(self.cpu_s - start_up.cpu_s, self.wall_s - start_up.wall_s)


Command = Sequence[object]


def run(command: Command) -> Cost:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed.
    """
    began_s = time.perf_counter()
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        msg = f"{command[0]} failed: {command}"
        raise RuntimeError(msg)
    wall_s = float(said) if said else time.perf_counter() - began_s
    return Cost(usage.ru_utime + usage.ru_stime, wall_s)


def least(commands: Mapping[str, Callable[[int], Command]]) -> dict[str, Cost]:
    """Run all commands in turn, `ROUNDS` times; a command is told which round it is."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(ROUNDS):
        for name, command in commands.items():
            costs[name].append(run(command(number)))
    return {
        name: Cost(min(cost.cpu_s for cost in all_), min(cost.wall_s for cost in all_)) for name, all_ in costs.items()
    }


def footage_path_rows(folder: Path) -> list[Row]:
    """Film once, then measure storing, cutting and what is stored."""
    frames = shoot()
    films = {seconds: store(frames, seconds, folder / f"{seconds}.nut") for seconds in (FILM_S, SHORT_S)}
    rows = _write_rows(folder, films)
    bare = sum(len(frames[n % len(frames)]) for n in range(FILM_S * SETTINGS.fps))
    return rows + _clip_rows(folder) + _storage_rows(folder, bare)


def _write_rows(folder: Path, films: Mapping[int, Path]) -> list[Row]:
    def ours(seconds: int, sync_s: float) -> Callable[[int], Command]:
        program = (sys.executable, "-m", "tests.bench.write_path", films[seconds])
        return lambda number: (*program, folder / f"ours-{seconds}-{sync_s:g}-{number}", sync_s)

    def ffmpeg(seconds: int, form: str) -> Callable[[int], Command]:
        def command(number: int) -> Command:
            target = folder / f"ffmpeg-{seconds}-{form}-{number}"
            target.mkdir()
            cut = ("-f", "segment", "-segment_time", SEGMENT_S, "-segment_format", form, *FORMAT_OPTIONS[form])
            return (*FFMPEG, "-i", films[seconds], "-c", "copy", *cut, target / f"%04d.{ENDING[form]}")

        return command

    a_second = films[FILM_S].stat().st_size // FILM_S
    copy = ("dd", f"if={films[FILM_S]}", f"bs={a_second}", "status=none")
    costs = least(
        {
            "reference": ffmpeg(FILM_S, "mpegts"),
            "reference start": ffmpeg(SHORT_S, "mpegts"),
            "ours": ours(FILM_S, SYNC_S),
            "ours, few syncs": ours(FILM_S, SEGMENT_S),
            "ours start": ours(SHORT_S, SYNC_S),
            "bytes": lambda _: (*copy, f"of={folder / 'bytes'}"),
            "bytes, synced": lambda _: (*copy, f"of={folder / 'bytes'}", "oflag=dsync"),
        }
    )
    run(ffmpeg(FILM_S, "mp4")(0))  # for its size
    reference = costs["reference"].less(costs["reference start"])
    synced = costs["ours"].less(costs["ours start"])
    safe = costs["bytes, synced"].less(costs["bytes"])
    as_safe = Cost(reference.cpu_s + safe.cpu_s, reference.wall_s + safe.wall_s)
    few = costs["ours, few syncs"].less(costs["ours start"])
    return [
        Row(f"ffmpeg -c copy -f segment, {FILM_S} s of 1280x720 at 15 (reference)", _cpu(reference)),
        Row("our write path: segments, index, a sync each second", _ratio(synced, reference), f"<= {AIM}x"),
        Row(f"... beside ffmpeg and what {FILM_S} syncs cost (dd oflag=dsync)", _ratio(synced, as_safe), f"<= {AIM}x"),
        Row("... with a sync each segment only (ffmpeg makes none)", _ratio(few, reference)),
        Row(
            "... as a share of a core while recording",
            f"{synced.cpu_s / FILM_S:.2%} (ffmpeg {reference.cpu_s / FILM_S:.2%})",
        ),
    ]


def _clip_rows(folder: Path) -> list[Row]:
    stored = folder / f"ours-{FILM_S}-{SYNC_S:g}-0"
    segments = "|".join(str(path) for path in sorted((stored / "segments").iterdir()))

    def ffmpeg(seconds: int) -> Callable[[int], Command]:
        source = (*FFMPEG, "-ss", CLIP_AFTER_S, "-i", f"concat:{segments}", "-t", seconds)
        return lambda _: (*source, "-c", "copy", "-movflags", "+faststart", folder / "theirs.mp4")

    def ours(seconds: int) -> Callable[[int], Command]:
        return lambda _: (sys.executable, "-m", "tests.bench.clip_path", stored, seconds, folder / "ours.mp4")

    costs = least(
        {
            "reference": ffmpeg(CLIP_S),
            "reference start": ffmpeg(SHORT_S),
            "ours": ours(CLIP_S),
            "ours start": ours(SHORT_S),
            "checksum": lambda _: ("openssl", "dgst", "-sha256", "-out", os.devnull, folder / "ours.mp4"),
        }
    )
    reference, ours_cost = costs["reference"].less(costs["reference start"]), costs["ours"].less(costs["ours start"])
    sealed = Cost(reference.cpu_s + costs["checksum"].cpu_s, reference.wall_s + costs["checksum"].wall_s)
    return [
        Row(f"ffmpeg -c copy +faststart over the segments, {CLIP_S} s (reference)", _cpu(reference)),
        Row("our clip, with its checksum and on the disk for good", _ratio(ours_cost, reference), f"<= {AIM}x"),
        Row("... as a ratio to ffmpeg and openssl dgst -sha256", _ratio(ours_cost, sealed), f"<= {AIM}x"),
        Row("... wall time", f"{costs['ours'].wall_s:.2f} s (ffmpeg {reference.wall_s:.2f} s)"),
    ]


def _storage_rows(folder: Path, bare: int) -> list[Row]:
    ours, theirs, fragmented = (
        sum(path.stat().st_size for path in place.iterdir()) / bare - 1
        for place in (
            folder / f"ours-{FILM_S}-{SYNC_S:g}-0" / "segments",
            folder / f"ffmpeg-{FILM_S}-mpegts-0",
            folder / f"ffmpeg-{FILM_S}-mp4-0",
        )
    )
    rate = bare * 8 / FILM_S / 1e6
    return [
        Row(
            f"storage beyond the bare H.264 ({rate:.2f} Mbit/s): ours | ffmpeg mpegts | ffmpeg fMP4",
            f"{ours:+.1%} | {theirs:+.1%} | {fragmented:+.1%}",
        )
    ]


def _cpu(cost: Cost) -> str:
    return f"{cost.cpu_s:.2f} s CPU"


def _ratio(cost: Cost, reference: Cost) -> str:
    return f"{cost.cpu_s / reference.cpu_s:.1f}x ({cost.cpu_s:.2f} to {reference.cpu_s:.2f} s CPU)"
