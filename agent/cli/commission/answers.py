"""The answers file: what an engineer knows before he drives out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.cli.errors import UsageError
from agent.commission.plan import steps_of
from agent.config.problems import ConfigInvalid
from agent.config.suggest import did_you_mean
from agent.config.yaml_reader import read_texts

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config


def read_answers(path: Path | None, config: Config) -> dict[str, str]:
    """The answers of a file, to the character as they were typed: a sheet is signed with them.

    Raises:
        UsageError: it is none, or answers what nobody asks.
    """
    if path is None:
        return {}
    try:
        said = read_texts(path)
    except ConfigInvalid as error:
        msg = f"--answers: {error.problems[0]}; it has one plain answer for each key: `dpia.reference: DPIA-2026-4`"
        raise UsageError(msg) from error
    steps = [step.id for step in steps_of(config)]
    for key in said:
        if key != "end" and not any(key.startswith(f"{step}.") for step in steps):
            msg = f"--answers: nobody asks for {key} on this unit; {did_you_mean(key.rpartition('.')[0], steps)}"
            raise UsageError(msg)
    return said
