"""What a unit can be told of its microphone and of what it listens for."""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from agent.config.base import LocalPath, LocalTime, Name, Seconds, Settings, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class PhraseSettings(Settings):
    """One phrase that calls for help."""

    say: Words
    """The words on the sign, in lower case."""
    label: Name
    """What alerts call it: the words themselves never leave the unit."""
    silent: bool = False
    """A duress phrase: no lamp, no sound."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.75
    """Each word of the phrase must be at least this sure. Of 560 calls in a quiet room and at 20 dB 554 are, of as many
    at 10 and 5 dB 465; with 0.9 instead 547 and 434, and 21 false activations in 2.9 h of near misses instead of 32.
    Of another voice model than the bundled one nobody has measured it."""
    unsure_confidence: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Who is not heard surely calls again: a phrase that is less sure than `min_confidence`, but each word at least
    this sure, counts when it is the second such one within ten seconds (of silent phrases, or of the others). 1:
    never. It changes nothing of a phrase with `repeat_within_s`."""
    repeat_within_s: Seconds | None = None
    """The phrase counts only when it is said again within this time: for words that also turn up in talk. None: once
    is enough."""
    movement_within_s: Seconds | None = None
    """Second evidence: the phrase counts only beside movement that a PIR saw within this time before it, or sees within
    this time after it. None: the words are enough."""


LocalDate = Annotated[date, Field(json_schema_extra={"needs": "a date such as 2026-11-24"})]


class MeterSettings(Settings):
    """The sound level meter on the microphone. Its levels are indicative: never for enforcement."""

    enabled: bool = False
    """It works with `voice.enabled: false` too: then nothing is listened for."""
    calibration_offset_db: Annotated[float, Field(ge=60, le=180)] | None = None
    """What is added to levels re full scale to make them dB re 20 uPa: the level of a sound calibrator (94 dB) less
    the level that the unit shows for it while it has no offset. Without one, levels stay dB re full scale."""
    calibrated_on: LocalDate | None = None
    """The day on which that was measured."""
    octave_bands: bool = True
    """Whether the levels of the octave bands from 63 Hz to 8 kHz are told as well."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """A calibration has a value and a date."""
        if self.calibration_offset_db is not None and self.calibrated_on is None:
            yield "calibrated_on", "is missing beside calibration_offset_db: a calibration without its date is none"
        if self.calibrated_on is not None and self.calibration_offset_db is None:
            yield "calibration_offset_db", "is missing beside calibrated_on: give both or neither"


class SelfTestSettings(Settings):
    """Once a day the unit speaks a short line and must hear it itself: no alert, no lamp, no call."""

    enabled: bool = True
    """It takes `voice.enabled` and `speaker.enabled` as well."""
    at: LocalTime = time(10, 30)
    """When: by day, when a voice from a column startles nobody. Put off while a call is open or somebody speaks."""


class LanguageSettings(Settings):
    """A further language, heard beside the main one by a model of its own.

    Each costs once more what the main one does: on the tests' street, with somebody talking each ten seconds, 53 to 60
    CPU seconds an hour with one language, 113 to 118 with two and 173 with three (x86-64; models of 1.2 million
    weights, a third of the bundled one's), and 13 MB of memory; an official small model takes about 300 MB (peers.md
    D, from Vosk's list).

    Every model hears all that is said, in whatever language, and takes it for the nearest of what it listens for:
    decoys are as needful here as in the main language, and a silent phrase is to be tried out on all models together.
    """

    name: Name
    """What faults and the log call it, such as pl."""
    model: LocalPath
    """A Vosk model's folder."""
    phrases: Annotated[tuple[PhraseSettings, ...], Field(min_length=1)]
    """What calls for help in it. A label that stands in several languages is the same call in all."""
    decoys: tuple[Words, ...] = ()
    """As those of the main language; a decoy counts in its own language only."""

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """A phrase has one meaning."""
        yield from _ambiguous(self.phrases, self.decoys)


class VoiceSettings(Settings):
    """The microphone, what it listens for and what it measures."""

    enabled: bool = False
    """Whether phrases are listened for."""
    name: Name = "mic-1"
    device: str | None = None
    """A PortAudio input device's name; None takes the default one."""
    model: LocalPath | None = None
    """A Vosk model's folder, of the main language; None takes the one in the package."""
    verifier: bool = False
    """Whether a second engine, which knows English only, is asked about what was taken for a phrase of the main
    language. Of what near misses set off it takes away little or most, by the phrase (README.md, What the voice hears);
    it costs 125 MB of memory, and comes with the extra "verifier" of the agent. It is tried and loaded before the unit
    hears: a second, on a good card."""
    phrases: tuple[PhraseSettings, ...] = ()
    decoys: tuple[Words, ...] = ()
    """Words and phrases that are easily taken for ours: heard as themselves, they are nothing, and neither is a phrase
    within one. A phrase that is how one begins ("help me" of "help me out") is decided at the next pause only."""
    languages: tuple[LanguageSettings, ...] = ()
    """Further languages. The unit hears its main one also when the model of a further one cannot be used."""
    refractory_s: Seconds = 5.0
    """The same call counts again only after this time, in whichever language: a label, silent or not."""
    light_on_suspicion: bool = True
    """Light the lamp for a moment as soon as something sounds like a phrase that is not silent. A guess may be wrong:
    where silent phrases are in use, `false` is safer."""
    meter: MeterSettings = MeterSettings()
    self_test: SelfTestSettings = SelfTestSettings()

    @property
    def needs_microphone(self) -> bool:
        """Whether there is anything to do with what a microphone hears."""
        return self.enabled or self.meter.enabled

    @property
    def all_phrases(self) -> tuple[PhraseSettings, ...]:
        """Those of every language."""
        return tuple(phrase for _, phrase in self._keyed_phrases())

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """Who listens needs something to listen for, and what is said has one meaning, also to several models."""
        if self.enabled and not self.phrases:
            yield "phrases", "is empty: a unit that listens needs at least one phrase (or voice.enabled: false)"
        yield from _ambiguous(self.phrases, self.decoys)
        names = [language.name for language in self.languages]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield "languages", f"has the name {name} more than once"
        yield from self._open_phrases_in_silent_ones()
        movement_of: dict[str, float | None] = {}
        for key, phrase in self._keyed_phrases():
            if movement_of.setdefault(phrase.label, phrase.movement_within_s) != phrase.movement_within_s:
                yield key, f"has two values of movement_within_s for the label {phrase.label}: use two labels"

    def _keyed_phrases(self) -> Iterator[tuple[str, PhraseSettings]]:
        """Every phrase with the key below which it stands."""
        for phrase in self.phrases:
            yield "phrases", phrase
        for language in self.languages:
            for phrase in language.phrases:
                yield "languages", phrase

    def _open_phrases_in_silent_ones(self) -> Iterator[tuple[str, str]]:
        """Whoever pauses within a silent phrase must not have said an open one; two models hear both at once."""
        for silent_key, silent in self._keyed_phrases():
            for open_key, part in self._keyed_phrases():
                if silent.silent and not part.silent and f" {part.say} " in f" {silent.say} ":
                    key = "phrases" if silent_key == open_key == "phrases" else "languages"
                    message = (
                        f'has "{part.say}", which is answered by light and sound, within the silent "{silent.say}"'
                    )
                    yield key, message


def _ambiguous(phrases: Sequence[PhraseSettings], decoys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What one language has twice."""
    said = [phrase.say for phrase in phrases]
    for words in sorted({words for words in said if said.count(words) > 1}):
        yield "phrases", f'has "{words}" more than once'
    for words in sorted(set(said) & set(decoys)):
        yield "decoys", f'has "{words}", which is a phrase: it cannot be both'
