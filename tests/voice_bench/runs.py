"""What one engine said about one tape, and how that is kept as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tests.voice_bench.hits import Hit
from tests.voice_bench.tape import Call

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One engine with one set of phrases on one tape."""

    engine: str
    phrases: str
    place: str
    """The condition of calls; the kind of talk."""
    voices: str
    """The kind of voice that calls, or "people"; empty for talk."""
    talkers: str
    """The kind of voice that talks; empty for calls, and where nobody talks."""
    bed: str
    calls: tuple[Call, ...]
    hits: tuple[Hit, ...]
    length_s: float
    cpu_s: float
    shared: bool
    """Whether every engine heard this tape; else only ours did, for more hours of talk."""


def save(path: Path, runs: Sequence[Run], costs: dict[str, Any]) -> None:
    """Keep everything that the tables are made of, in the place of what was kept before."""
    ordered = sorted(
        runs,
        key=lambda run: (run.engine, run.phrases, run.place, run.voices, run.talkers, run.bed, run.length_s),
    )
    write(path, {"costs": costs, "runs": as_json(ordered)})


def write(path: Path, whole: object) -> None:
    """Write it whole, or leave what was there."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(whole), encoding="utf-8")
    part.replace(path)


def as_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """As they are kept."""
    return [asdict(run) for run in runs]


def from_json(kept: Sequence[dict[str, Any]]) -> list[Run]:
    """What `as_json` made.

    Raises:
        TypeError, KeyError: these are no runs.
    """
    return [
        Run(
            **run
            | {
                "calls": tuple(Call(**call) for call in run["calls"]),
                "hits": tuple(Hit(**hit) for hit in run["hits"]),
            }
        )
        for run in kept
    ]


def load(path: Path) -> tuple[list[Run], dict[str, Any]]:
    """Read it again."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    return from_json(whole["runs"]), whole["costs"]
