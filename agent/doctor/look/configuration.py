"""The unit's file, as the daemon reads it and as `safepoint check` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.config.load import load_config
from agent.config.problems import ConfigInvalid
from agent.doctor.facts import Configuration
from agent.doctor.redact import private_words, shown_outside, words_written

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.problems import Problem
    from agent.doctor.look.case import Case


def look(case: Case) -> Configuration:
    """Read it twice: what only `check` refuses, the daemon starts without."""
    try:
        loaded = load_config(case.file, judge_files=False)
    except ConfigInvalid as invalid:
        return Configuration(case.file, None, invalid.problems, private=_words(case.file))
    problems: tuple[Problem, ...]
    try:
        load_config(case.file)
        problems = ()
    except ConfigInvalid as invalid:
        problems = invalid.problems
    return Configuration(case.file, loaded.config, problems, shown_outside(loaded), private_words(loaded.config))


def _words(file: Path) -> tuple[str, ...]:
    """What people say to the unit, from a file that is of no other use."""
    try:
        return words_written(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:  # why it cannot be read is the problem that is told
        return ()
