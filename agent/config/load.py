"""How a unit's file becomes a `Config`: read, laid over its profile, judged as a whole, with every problem at once.

The profile named by the file fills in what the file leaves out. Mappings merge key by key; a list in the file
(`inputs`, `phrases`, `windows` ...) replaces the profile's list, so that what a unit has is read in one place.
Relative paths are meant from the folder of the unit's file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from agent.config.base import FOLDER, NONSENSE
from agent.config.explain import explained
from agent.config.machine import machine_findings
from agent.config.problems import ConfigInvalid, Problem, one_line
from agent.config.rules import cross_findings
from agent.config.settings import Config
from agent.config.suggest import did_you_mean
from agent.config.tree import dotted, overlaid
from agent.config.yaml_reader import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from agent.config.tree import Finding, KeyPath, Value

PROFILES = Path(__file__).parent.parent / "profiles"
DEFAULT = "default"
"""The origin of a value that neither the file nor its profile gives."""


@dataclass(frozen=True)
class Loaded:
    """A configuration that may be used."""

    config: Config
    origins: Mapping[str, str]
    """Where the value of each key comes from (`uplink.broker`, `inputs[0].pin`): "profile NAME", "FILE:LINE" or
    "default". A list of plain values is one key."""


def profile_names() -> list[str]:
    """The kinds of unit there are."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def load_config(path: Path, *, judge_files: bool = True) -> Loaded:
    """Read a unit's file.

    Args:
        path: the file.
        judge_files: whether it is a problem of the file that a voice model cannot be used, or lacks a word, or that a
            certificate or a stored message is not there. It is to whoever writes the file; a unit that starts with a
            worn card had better do without its voice and its messages, or keep its calls, than do without its button
            (design rule 1), and it tells the fault itself.

    Raises:
        ConfigInvalid: it cannot be used; carries every problem that could be found.
    """
    written, problems = read_yaml(path)
    profile = written.text("profile")
    known = profile in profile_names()
    tree = written
    if known:
        base, profile_problems = read_yaml(PROFILES / f"{profile}.yaml", profile)
        tree = overlaid(base, written)
        problems += profile_problems
    elif profile is not None:
        message = f"there is no profile {one_line(profile)}; {did_you_mean(profile, profile_names())}"
        problems.append(_problem(tree, ("profile",), message))
    folder = path.parent.absolute()
    config, findings = _validated(tree, folder, complete=known)
    findings += [*cross_findings(tree), *machine_findings(tree, folder, judge_files=judge_files)]
    problems += [_problem(tree, *finding) for finding in findings]
    if config is None or problems:
        raise ConfigInvalid(problems)
    return Loaded(config, dict(_origins(config.model_dump(mode="json"), tree, ())))


def _validated(tree: Value, folder: Path, *, complete: bool) -> tuple[Config | None, list[Finding]]:
    """Judge every section by itself.

    Args:
        tree: the configuration as written.
        folder: where relative paths are meant from.
        complete: the profile is part of `tree`; without it nobody knows what is missing, or makes no sense.
    """
    try:
        # Through JSON, because strict Python mode refuses lists for tuples and text for paths and times.
        return Config.model_validate_json(json.dumps(tree.plain()), context={FOLDER: folder}), []
    except ValidationError as invalid:
        needs_profile = set() if complete else {"missing", NONSENSE}
        return None, [
            (error["loc"], explained(error))
            for error in invalid.errors(include_url=False)
            if (error["type"] not in needs_profile or error["loc"] == ("profile",)) and not _is_echo(error)
        ]


def _is_echo(error: ErrorDetails) -> bool:
    """Whether a list is called too short only because its mistaken entries, each told by itself, do not count."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _problem(tree: Value, path: KeyPath, message: str) -> Problem:
    origin = tree.nearest(path).origin
    return Problem(origin.file, origin.line, dotted(path), message)


def _origins(value: object, written: Value | None, path: KeyPath) -> Iterator[tuple[str, str]]:
    """Yield each leaf's key and origin; `written` is what stands at `path` in the file or the profile."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _origins(inner, written and written.inside(key), (*path, key))
    elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        for i, inner in enumerate(value):
            yield from _origins(inner, written and written.inside(i), (*path, i))
    else:
        yield dotted(path), str(written.origin) if written else DEFAULT
