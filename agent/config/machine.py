"""What a configuration names and this machine must have: a kit, a time zone, files for TLS, a voice model."""

from __future__ import annotations

import shlex
import stat
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from agent.config.base import composed
from agent.config.problems import one_line
from agent.config.spoken import languages, phrases
from agent.config.suggest import did_you_mean, nearest
from agent.hw.kit import kit_names
from agent.hw.messages import MessageUnusable, length_s
from agent.uplink.key_file import is_exposed
from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable, nearest_words, unknown_words, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.config.tree import Finding, KeyPath, Value


def machine_findings(tree: Value, folder: Path, *, judge_files: bool) -> Iterator[Finding]:
    """Everything that is named but not here, or not fit for use.

    Args:
        tree: the configuration as written.
        folder: where relative paths are meant from.
        judge_files: whether to look at the files that it names too: for TLS, stored messages, and the voice models
            with their words.
    """
    yield from _kit(tree)
    yield from _timezone(tree)
    if not judge_files:
        return
    for key in (("ca_file",), ("cert_file",), ("key_file",), ("uploads", "ca_file")):
        if named := tree.text("uplink", *key):
            yield from _file(("uplink", *key), folder / named, private=key == ("key_file",))
    yield from _messages(tree, folder)
    enabled = tree.at("voice", "enabled")
    if enabled is not None and enabled.content is True:
        for language in languages(tree):
            yield from _words(tree, folder, language)


def _kit(tree: Value) -> Iterator[Finding]:
    kit = tree.text("hardware", "kit")
    if kit is not None and kit not in kit_names():
        yield ("hardware", "kit"), f"no hardware kit {one_line(kit)} is installed; {did_you_mean(kit, kit_names())}"


def _timezone(tree: Value) -> Iterator[Finding]:
    zone = tree.text("unit", "timezone")
    if zone is None:
        return
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        # KeyError: not in the database. The others: not a name at all ("../etc", "Europe").
        guesses = nearest(zone, available_timezones())
        hint = f"did you mean {guesses[0]}?" if guesses else "give one such as Europe/London"
        yield ("unit", "timezone"), f"there is no time zone {one_line(zone)}; {hint}"


def _file(key: KeyPath, path: Path, *, private: bool) -> Iterator[Finding]:
    shown = one_line(str(path))
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            yield key, f"{shown} is not a file"
            return
        path.open("rb").close()
    except OSError as error:
        yield key, f"{shown} cannot be read: {error.strerror}"
        return
    if private and is_exposed(path, mode):
        command = f"chmod 600 {shlex.quote(str(path))}"
        yield key, f"{shown} can be used by others than its owner (mode {stat.S_IMODE(mode):04o}); run: {command}"


def _messages(tree: Value, folder: Path) -> Iterator[Finding]:
    stored = tree.at("speaker", "messages")
    for name in stored.content if stored is not None and isinstance(stored.content, dict) else ():
        key: KeyPath = ("speaker", "messages", name)
        if path := tree.text(*key):
            try:
                length_s(folder / path)
            except MessageUnusable as error:
                yield key, f"{one_line(str(folder / path))} {one_line(str(error))}"


def _words(tree: Value, folder: Path, language: KeyPath) -> Iterator[Finding]:
    """Whether the model of a language is there and knows what it shall hear."""
    named = tree.text(*language, "model")
    main = language == ("voice",)
    if named is None and not main:
        return  # that it is missing, or no text, is told anyway
    try:
        known = vocabulary(BUNDLED_MODEL if named is None else folder / named)
    except ModelUnusable as error:
        yield (*language, "model"), one_line(str(error))
        return
    name = tree.text(*language, "name")
    model = "the voice model" if main else f"the voice model of language {one_line(str(name))}"
    # Phrases only: a decoy that cannot be heard cannot be taken for a phrase either.
    for phrase in phrases(tree, language):
        path = (*phrase, "say")
        for word in unknown_words(composed((tree.text(*path) or "").lower()), known):
            likely = ", ".join(nearest_words(word, known)) or "none"
            yield path, f'{model} cannot hear "{one_line(word)}"; the nearest it knows: {likely}'
