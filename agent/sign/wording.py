"""What the sign says, from the configuration alone, so that the two cannot differ.

What must be on it: that there is CCTV, why, who is responsible, whom to ask, and what is done with sound (Surveillance
Camera Code, principles 1 and 3; the ICO's guidance on video surveillance; research: standards.md 4.1 and 4.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.config.hearing import PhraseSettings
    from agent.config.settings import Config


class SignImpossible(ValueError):
    """Something that the law wants on the sign is not in the configuration; the text says what to add."""


@dataclass(frozen=True)
class Call:
    """A phrase that calls for help."""

    say: str
    language: str = ""
    """As `voice.languages` names it; empty for the main one."""


@dataclass(frozen=True)
class Sign:
    """The whole wording."""

    unit: str
    name: str
    location: str
    has_button: bool
    calls: tuple[Call, ...]
    answer: str
    """What happens when somebody calls."""
    cctv: str | None
    """What is said of the camera; None: there is none."""
    sound: str
    """What is said of the microphone, in a few words; and why it is there, where no camera says it."""
    sound_more: str
    """The rest of it."""
    keeping: str | None
    """For how long pictures are kept; None: there are none."""
    operator: str
    contact: str
    notice: str | None

    @property
    def is_for_help(self) -> bool:
        """Whether one can call for help here."""
        return self.has_button or bool(self.calls)


def unsaid(config: Config) -> list[str]:
    """The keys of the configuration that the sign needs and that are missing; none where no sign is needed.

    Whoever is filmed or heard must be able to read who does it and whom to ask.
    """
    if not config.camera.enabled and not config.voice.needs_microphone:
        return []
    return _missing(config)


def wording(config: Config) -> Sign:
    """What the sign of this unit says.

    Raises:
        SignImpossible: nobody is named who is responsible, or whom to ask.
    """
    signage = config.signage
    if signage.operator is None or signage.contact is None:
        msg = (
            f"{' and '.join(_missing(config))} must be in the configuration first: a sign has to say"
            " who runs the camera and whom to ask"
        )
        raise SignImpossible(msg)
    return Sign(
        unit=config.unit.id,
        name=config.unit.name,
        location=config.unit.location,
        has_button=any(wired.kind == "button" for wired in config.inputs),
        calls=tuple(calls(config)) if config.voice.enabled else (),
        answer=_answer(config),
        cctv=f"CCTV is in use {_purpose(config)}." if config.camera.enabled else None,
        sound=_sound(config),
        sound_more=_sound_more(config),
        keeping=_keeping(config.footage.keep_days) if config.camera.enabled else None,
        operator=signage.operator,
        contact=signage.contact,
        notice=signage.notice,
    )


def _answer(config: Config) -> str:
    told = "The light comes on and the control room is told." if config.lamp else "The control room is told."
    # A phrase that is not heard surely counts when it comes again (`PhraseSettings.unsure_confidence`).
    return f"{told} No answer? Call again." if config.voice.enabled and config.speaker.enabled else told


def calls(config: Config) -> Iterator[Call]:
    """The phrases for the sign: those that count at once, whoever says them.

    Never a silent one, nor one that shares its label with a silent one in any language: a duress phrase is worth
    nothing once it has been read.
    """
    voice = config.voice
    secret = {phrase.label for phrase in voice.all_phrases if phrase.silent}
    hidden = {phrase.say for phrase in voice.all_phrases if phrase.silent}
    for language, phrases in (("", voice.phrases), *((each.name, each.phrases) for each in voice.languages)):
        english = not language and voice.model is None
        yield from (
            Call(_written(phrase.say, english=english), language)
            for phrase in _counting_at_once(phrases)
            if phrase.label not in secret and phrase.say not in hidden
        )


def _missing(config: Config) -> list[str]:
    return [f"signage.{key}" for key in ("operator", "contact") if getattr(config.signage, key) is None]


def _written(say: str, *, english: bool) -> str:
    """As people write it; the configuration has it as voice models do, in small letters."""
    say = say[0].upper() + say[1:]
    return re.sub(r"\bi\b", "I", say) if english else say


def _counting_at_once(phrases: Sequence[PhraseSettings]) -> Iterator[PhraseSettings]:
    for phrase in phrases:
        if not phrase.silent and phrase.repeat_within_s is None and phrase.movement_within_s is None:
            yield phrase


def _sound(config: Config) -> str:
    if not config.voice.needs_microphone:
        return "No microphone in use"
    never = "Sound is never recorded"
    # Beside a camera the purpose is already said.
    return never if config.camera.enabled else f"A microphone is in use {_purpose(config)}. {never}"


def _purpose(config: Config) -> str:
    return config.signage.purpose.rstrip(".")


def _sound_more(config: Config) -> str:
    voice = config.voice
    if not voice.needs_microphone:
        return "Sound is neither picked up nor recorded."
    said = []
    if voice.enabled:
        said.append(
            "A microphone listens for calls for help. What it hears is examined inside this unit and forgotten at once:"
            " conversations are not recorded, and nobody listens in."
        )
    if voice.meter.enabled:
        measures = "It also measures" if voice.enabled else "The microphone measures"
        said.append(f"{measures} how loud it is here; only numbers are kept.")
    return " ".join(said)


def _keeping(days: float) -> str:
    count = f"{days:g} day" if days == 1 else f"{days:g} days"
    return f"Pictures are kept for {count} at most, longer only as evidence, and may be given to the police."
