"""The answers file: what an engineer knows before he drives out."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import yaml

from agent.cli.errors import UsageError
from agent.commission.plan import steps_of
from agent.config.suggest import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config

MOST_BYTES = 64 * 1024


def read_answers(path: Path | None, config: Config) -> dict[str, str]:
    """The answers of a file.

    Raises:
        UsageError: it is none, or answers what nobody asks.
    """
    if path is None:
        return {}
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        said = yaml.safe_load(content) if len(content) <= MOST_BYTES else None
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no YAML"
        msg = f"--answers: {path} cannot be read: {reason}"
        raise UsageError(msg) from error
    if not isinstance(said, dict) or not all(isinstance(each, str | int | float | date) for each in said.values()):
        msg = f"--answers: {path} must say one plain answer for each key, such as `dpia.reference: DPIA-2026-4`"
        raise UsageError(msg)
    steps = [step.id for step in steps_of(config)]
    for key in map(str, said):
        if key != "end" and not any(key.startswith(f"{step}.") for step in steps):
            msg = f"--answers: nobody asks for {key} on this unit; {did_you_mean(key.rpartition('.')[0], steps)}"
            raise UsageError(msg)
    return {str(key): _plain(value) for key, value in said.items()}


def _plain(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
