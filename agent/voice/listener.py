"""The listener process: hears the microphone and tells the daemon which phrase was said. Sound never leaves it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from agent.helpers.messages import PhraseHeard, PhraseSuspected, Trouble, TroubleOver, Working
from agent.hw.kit import HardwareLost, load_kit
from agent.meter.metering import Metering
from agent.voice.further import FurtherLanguages, Unheard
from agent.voice.language import WordUnknown, phrases_of
from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable
from agent.voice.muted import MUTED_AFTER_S, Hearing, MuteWatch
from agent.voice.pipeline import Deaf, pipelines
from agent.voice.probe import prove

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.config.hearing import VoiceSettings
    from agent.config.settings import Config
    from agent.helpers.channel import Channel
    from agent.hw.kit import Kit, Microphone, PcmBlock
    from agent.voice.decision import Detection, Rejection
    from agent.voice.pipeline import Pipeline

log = structlog.get_logger()

WORKING_EVERY_S = 1.0
"""Proof of work; the daemon takes three missed ones for a hung listener (`agent.helpers.owner`)."""
RETRY_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Waits before the microphone is opened again; the last one repeats. A USB plug that was knocked is back at once, a
dead one is not worth more than a look each half minute."""
LOST = "microphone-lost"
SILENT = "microphone-silent"


def unheard_code(language: str) -> str:
    """The code of the fault that a further language is not heard."""
    return f"language-{language}-unheard"


class Listener:
    """The listener's job. Opens the microphone again and again while the daemon lives."""

    def run(self, config: Config, channel: Channel) -> None:
        """Listen until the channel closes.

        Raises:
            HardwareLost: the main voice model or the hardware kit cannot be used.
        """
        voice = config.voice
        try:
            kit = load_kit(config.hardware.kit, config.hardware.options)
            fresh_pipeline = _pipelines(voice) if voice.enabled else Deaf
        except (ModelUnusable, WordUnknown, LookupError) as unusable:
            raise HardwareLost(str(unusable)) from unusable
        further = FurtherLanguages(voice.languages if voice.enabled else ())
        _Listening(kit, voice, channel, fresh_pipeline, further).run()


def _pipelines(voice: VoiceSettings) -> Callable[[], Pipeline]:
    model = voice.model or BUNDLED_MODEL
    prove(model)
    return pipelines(model, phrases_of(voice), voice.decoys, voice.refractory_s)


class _Listening:
    """One microphone's work, with what was counted over all its losses."""

    def __init__(
        self,
        kit: Kit,
        voice: VoiceSettings,
        channel: Channel,
        fresh_pipeline: Callable[[], Pipeline | Deaf],
        further: FurtherLanguages,
    ) -> None:
        self._kit = kit
        self._voice = voice
        self._channel = channel
        self._fresh_pipeline = fresh_pipeline
        self._further = further
        self._done = 0
        self._lost = 0
        self._proved_s: float | None = None
        self._attempts = 0
        """Failures since the last block."""
        self._muted = MuteWatch()
        self._metering = Metering(voice.meter) if voice.meter.enabled else None

    def run(self) -> None:
        while not self._channel.closed.is_set():
            try:
                microphone = self._kit.microphone(self._voice)
                try:
                    self._hear(microphone)
                finally:
                    microphone.close()
            except HardwareLost as lost:
                if not self._attempts:
                    self._channel.send(Trouble(LOST, f"The microphone {self._voice.name} is lost: {lost}"))
            self._channel.closed.wait(RETRY_S[min(self._attempts, len(RETRY_S) - 1)])
            self._attempts += 1

    def _hear(self, microphone: Microphone) -> None:
        """Hear the microphone until the channel closes.

        Raises:
            HardwareLost: it went away.
        """
        pipeline = self._fresh_pipeline()
        for language in self._further.loaded:
            pipeline.add(language)
        ended_s = 0.0
        rejected: Counter[Rejection] = Counter()
        try:
            for block in microphone.blocks():
                if self._channel.closed.is_set():
                    return
                if self._attempts:
                    self._attempts = 0
                    self._channel.send(TroubleOver(LOST))
                ended_s = block.ended_s
                self._tell(pipeline.hear(block))
                for likely in pipeline.suspicions:
                    self._channel.send(PhraseSuspected(likely.phrase.label, likely.since_s, likely.phrase.silent))
                rejected = self._log_rejected(pipeline.rejected, rejected)
                self._watch_mute(block)
                if self._metering and (measured := self._metering.feed(block)):
                    self._channel.send(measured)
                self._prove(block)
                self._take_up(pipeline)
        finally:
            self._tell(pipeline.end(ended_s))  # what was said just before the microphone went counts
        msg = "it stopped giving sound"
        raise HardwareLost(msg)

    def _tell(self, detections: list[Detection]) -> None:
        for said in detections:
            self._channel.send(
                PhraseHeard(
                    label=said.phrase.label,
                    start_s=said.start_s,
                    end_s=said.end_s,
                    decided_s=said.decided_s,
                    confidence=said.confidence,
                    silent=said.phrase.silent,
                )
            )

    def _log_rejected(self, now: Counter[Rejection], before: Counter[Rejection]) -> Counter[Rejection]:
        """Log what was heard and did not count: how a site finds out that its phrases or decoys are ill chosen."""
        for reason, times in (now - before).items():
            log.info("phrase_not_counted", microphone=self._voice.name, reason=reason.value, times=times)
        return now.copy()

    def _take_up(self, pipeline: Pipeline | Deaf) -> None:
        """Hear the further languages that have been loaded meanwhile, and tell of those that cannot be.

        After the proof of work: with the first one, the daemon takes for over what this listener complained of before.
        """
        for news in self._further.news():
            if isinstance(news, Unheard):
                text = f"The language {news.name} is not heard: {news.why}. The main language is heard."
                self._channel.send(Trouble(unheard_code(news.name), text))
            else:
                pipeline.add(news)

    def _watch_mute(self, block: PcmBlock) -> None:
        match self._muted.feed(block.pcm, block.ended_s):
            case Hearing.FELL_SILENT:
                text = (
                    f"The microphone {self._voice.name} has given no sound for {MUTED_AFTER_S:.0f} s: muted or broken."
                )
                self._channel.send(Trouble(SILENT, text))
            case Hearing.CAME_BACK:
                self._channel.send(TroubleOver(SILENT))
            case Hearing.SAME:
                pass

    def _prove(self, block: PcmBlock) -> None:
        self._done += 1
        self._lost += block.lost
        if self._proved_s is None or block.ended_s - self._proved_s >= WORKING_EVERY_S:
            self._proved_s = block.ended_s
            self._channel.send(Working(self._done, self._lost))
