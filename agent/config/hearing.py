"""What a unit can be told of its microphone and of what it listens for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from agent.config.base import LocalPath, Name, Seconds, Settings, Words

if TYPE_CHECKING:
    from collections.abc import Iterator


class PhraseSettings(Settings):
    """One phrase that calls for help."""

    say: Words
    """The words on the sign, in lower case."""
    label: Name
    """What alerts call it: the words themselves never leave the unit."""
    silent: bool = False
    """A duress phrase: no lamp, no sound."""
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.6
    """Each word of the phrase must be at least this sure."""
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


class VoiceSettings(Settings):
    """The microphone, what it listens for and what it measures."""

    enabled: bool = False
    """Whether phrases are listened for."""
    name: Name = "mic-1"
    device: str | None = None
    """A PortAudio input device's name; None takes the default one."""
    model: LocalPath | None = None
    """A Vosk model's folder; None takes the one in the package."""
    phrases: tuple[PhraseSettings, ...] = ()
    decoys: tuple[Words, ...] = ()
    """Words and phrases that are easily taken for ours: heard as themselves, they are nothing, and neither is a phrase
    within one. A phrase that is how one begins ("help me" of "help me out") is decided at the next pause only."""
    refractory_s: Seconds = 5.0
    """The same phrase counts again only after this time."""
    light_on_suspicion: bool = True
    """Light the lamp for a moment as soon as something sounds like a phrase that is not silent. A guess may be wrong:
    where silent phrases are in use, `false` is safer."""
    meter: MeterSettings = MeterSettings()

    @property
    def needs_microphone(self) -> bool:
        """Whether there is anything to do with what a microphone hears."""
        return self.enabled or self.meter.enabled

    def nonsense(self) -> Iterator[tuple[str, str]]:
        """Who listens needs something to listen for, and a phrase has one meaning."""
        if self.enabled and not self.phrases:
            yield "phrases", "is empty: a unit that listens needs at least one phrase (or voice.enabled: false)"
        said = [phrase.say for phrase in self.phrases]
        for words in sorted({words for words in said if said.count(words) > 1}):
            yield "phrases", f'has "{words}" more than once'
        for words in sorted(set(said) & set(self.decoys)):
            yield "decoys", f'has "{words}", which is a phrase: it cannot be both'
        yield from self._open_phrases_in_silent_ones()
        movement_of: dict[str, float | None] = {}
        for phrase in self.phrases:
            if movement_of.setdefault(phrase.label, phrase.movement_within_s) != phrase.movement_within_s:
                yield "phrases", f"has two values of movement_within_s for the label {phrase.label}: use two labels"

    def _open_phrases_in_silent_ones(self) -> Iterator[tuple[str, str]]:
        """Whoever pauses within a silent phrase must not have said an open one."""
        silent_ones = [phrase.say for phrase in self.phrases if phrase.silent]
        open_ones = [phrase.say for phrase in self.phrases if not phrase.silent]
        for silent in silent_ones:
            for part in open_ones:
                if part != silent and f" {part} " in f" {silent} ":
                    yield "phrases", f'has "{part}", which is answered by light and sound, within the silent "{silent}"'
