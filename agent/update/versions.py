"""What a bundle must say of itself to be taken here. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.update.manifest import Manifest

ATTEMPTS = 2
"""So often a bundle is tried that did not fail by its own doing, as far as one trial shows: the power was cut, or the
broker was away. Two in a row are no chance any more."""


@dataclass(frozen=True)
class Here:
    """What there is on this unit."""

    version: str
    """The one in use."""
    machine: str
    """As `uname -m` says."""
    python: str
    """Of the slots, as `3.13`."""
    proven: str
    """The highest version that ever passed its trial here."""
    failed: Mapping[str, str]
    """Why a bundle did not pass its trial, by its `Manifest.identity`."""
    attempts: Mapping[str, int]
    """How often a bundle was tried without an end, by its `Manifest.identity`."""


def number(version: str) -> tuple[int, ...]:
    """A version as something that can be compared: 0.10.0 comes after 0.9.2."""
    return tuple(int(part) for part in version.split("."))


def refusal(manifest: Manifest, here: Here) -> str | None:
    """Why this unit does not take the bundle, as a sentence; None when it does."""
    return next(_reasons(manifest, here), None)


def _reasons(manifest: Manifest, here: Here) -> Iterator[str]:
    version = manifest.version
    newest = max(here.version, here.proven, key=number)
    if manifest.machine != here.machine:
        yield f"it is for machines of type {manifest.machine}, and this one is {here.machine}: take the other bundle"
    if manifest.python != here.python:
        yield f"it is for Python {manifest.python}, and this unit has {here.python}: take the other bundle"
    if version == here.version:
        yield f"version {version} is in use already"
    if number(version) < number(newest):
        yield f"version {version} is older than {newest}, which this unit has had: there is no way back"
    if number(here.version) < number(manifest.minimum):
        yield (
            f"version {version} starts from {manifest.minimum} or later, and {here.version} is in use: "
            f"bring {manifest.minimum} first"
        )
    if why := here.failed.get(manifest.identity):
        yield f"version {version} was tried here and taken back, because {why}: build a new bundle"
    if here.attempts.get(manifest.identity, 0) >= ATTEMPTS:
        yield f"version {version} was tried {ATTEMPTS} times here and never came to an end: build a new bundle"
