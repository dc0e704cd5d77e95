"""What the sections of a configuration must be to each other.

Judged on what was written, not on a finished `Config`: so a pin that clashes is found together with every other
problem of the file, be it of the same input.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from agent.config.base import Settings
from agent.config.filming import CameraSettings, FootageSettings
from agent.config.hearing import VoiceSettings
from agent.config.problems import one_line
from agent.config.spoken import languages, phrases
from agent.config.tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.config.tree import Finding, KeyPath, Value

KBIT_PER_MB = 8000

AnySection = TypeVar("AnySection", bound=Settings)


def cross_findings(tree: Value) -> Iterator[Finding]:
    """Everything that is wrong between sections, as far as they can be read."""
    yield from _shared(tree, "pin", _pins(tree))
    yield from _shared(tree, "name", _names(tree))
    yield from _room_for_an_event(tree)
    yield from _movement_that_nobody_sees(tree)


def _pins(tree: Value) -> Iterator[tuple[KeyPath, object]]:
    for i, wired in enumerate(tree.items("inputs")):
        if pin := wired.inside("pin"):
            yield ("inputs", i, "pin"), pin.content
    if pin := tree.at("lamp", "pin"):
        yield ("lamp", "pin"), pin.content


def _names(tree: Value) -> Iterator[tuple[KeyPath, object]]:
    """What alerts tell sensors apart by."""
    for i, wired in enumerate(tree.items("inputs")):
        if name := wired.inside("name"):
            yield ("inputs", i, "name"), name.content
    for section, model, switches in (
        ("voice", VoiceSettings, (("voice",), ("voice", "meter"))),
        ("camera", CameraSettings, (("camera",),)),
    ):
        if any(_is_enabled(tree, switch) for switch in switches):
            name = tree.at(section, "name")
            yield (section, "name"), name.content if name else model.model_fields["name"].default


def _shared(tree: Value, what: str, claims: Iterable[tuple[KeyPath, object]]) -> Iterator[Finding]:
    first: dict[object, KeyPath] = {}
    for path, claimed in claims:
        # Other types are refused anyway; and True would equal pin 1.
        if not isinstance(claimed, int | str) or isinstance(claimed, bool):
            continue
        earlier = first.setdefault(claimed, path)
        if earlier is not path:
            origin = tree.nearest(earlier).origin
            yield (
                path,
                f"{what} {one_line(str(claimed))} is already taken by {dotted(earlier)} ({origin.file}:{origin.line})",
            )


def _room_for_an_event(tree: Value) -> Iterator[Finding]:
    camera, footage = _section(CameraSettings, tree, "camera"), _section(FootageSettings, tree, "footage")
    if camera is None or footage is None or not camera.enabled:
        return
    holds_s = footage.rolling_max_mb * KBIT_PER_MB / camera.bitrate_kbps
    event_s = footage.pre_event_s + footage.post_event_s
    if holds_s < event_s:
        held = f"{footage.rolling_max_mb} MB hold {holds_s:.0f} s at camera.bitrate_kbps ({camera.bitrate_kbps} kbit/s)"
        event = f"one event (pre_event_s + post_event_s: {event_s:g} s)"
        yield ("footage", "rolling_max_mb"), f"{held}, less than {event}"


def _movement_that_nobody_sees(tree: Value) -> Iterator[Finding]:
    """A phrase that waits for a PIR on a unit without one would never count."""
    if not _is_enabled(tree, ("voice",)) or any(wired.text("kind") == "pir" for wired in tree.items("inputs")):
        return
    for phrase in (phrase for language in languages(tree) for phrase in phrases(tree, language)):
        needed = tree.at(*phrase, "movement_within_s")
        if needed is not None and needed.content is not None:
            path = (*phrase, "movement_within_s")
            yield path, "needs an input of kind pir, and this unit has none: the phrase would never count"


def _is_enabled(tree: Value, section: KeyPath) -> bool:
    enabled = tree.at(*section, "enabled")
    return enabled is not None and enabled.content is True


def _section(model: type[AnySection], tree: Value, key: str) -> AnySection | None:
    """A section with its defaults; None when it has problems of its own, which are told anyway."""
    written = tree.inside(key)
    try:
        return model.model_validate_json(json.dumps(written.plain() if written else {}))
    except ValidationError:
        return None
