"""The listener process: hears the microphone and tells the daemon which phrase was said. Sound never leaves it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from agent.helpers.messages import PhraseHeard, PhraseSuspected, SelfTest, Trouble, TroubleOver
from agent.hw.kit import HardwareHangs, HardwareLost, load_kit
from agent.meter.metering import Metering
from agent.voice.further import FurtherLanguages, Unheard
from agent.voice.language import WordUnknown, phrases_of
from agent.voice.lexicon import BUNDLED_MODEL, ModelUnusable
from agent.voice.own_ear import ear_for
from agent.voice.pipeline import Deaf, pipelines
from agent.voice.probe import prove
from agent.voice.verifier import VerifierUnusable
from agent.voice.verifier import load as load_verifier
from agent.voice.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.config.hearing import VoiceSettings
    from agent.config.settings import Config
    from agent.helpers.channel import Channel
    from agent.hw.kit import Kit, Microphone, PcmBlock
    from agent.voice.decision import Detection, Rejection
    from agent.voice.own_ear import OwnEar
    from agent.voice.pipeline import Pipeline
    from agent.voice.verifier import Verifier

log = structlog.get_logger()

RETRY_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Waits before the microphone is opened again; the last one repeats. A USB plug that was knocked is back at once, a
dead one is not worth more than a look each half minute."""
UNVERIFIED = "voice-unverified"
"""The code of the fault that the second engine cannot be used."""


def unheard_code(language: str) -> str:
    """The code of the fault that a further language is not heard."""
    return f"language-{language}-unheard"


class Listener:
    """The listener's job. Opens the microphone again and again while the daemon lives."""

    def run(self, config: Config, channel: Channel) -> None:
        """Listen until the channel closes.

        Raises:
            HardwareLost: the main voice model or the hardware kit cannot be used.
            HardwareHangs: the sound system does not come back, so that only a new process can hear again.
        """
        voice = config.voice
        try:
            kit = load_kit(config.hardware.kit, config.hardware.options)
            verifier, unverified = _verifier() if voice.enabled and voice.verifier else (None, None)
            fresh_pipeline = _pipelines(voice, verifier) if voice.enabled else Deaf
            own_ear = ear_for(voice.model or BUNDLED_MODEL) if config.tests_itself else None
        except (ModelUnusable, WordUnknown, LookupError) as unusable:
            raise HardwareLost(str(unusable)) from unusable
        further = FurtherLanguages(voice.languages if voice.enabled else ())
        _Listening(kit, voice, channel, fresh_pipeline, further=further, own_ear=own_ear, unverified=unverified).run()


def _pipelines(voice: VoiceSettings, verifier: Verifier | None) -> Callable[[], Pipeline]:
    model = voice.model or BUNDLED_MODEL
    prove(model)
    return pipelines(model, phrases_of(voice), voice.decoys, voice.refractory_s, verifier)


def _verifier() -> tuple[Verifier | None, str | None]:
    """The second engine; or why there is none. A unit hears without it as well."""
    try:
        return load_verifier(), None
    except VerifierUnusable as unusable:
        return None, f"Calls are heard, but not verified: {unusable}."


class _Listening:
    """One microphone's work, with what was counted over all its losses."""

    def __init__(  # noqa: PLR0913 - a microphone, all that hears it, and whom it tells
        self,
        kit: Kit,
        voice: VoiceSettings,
        channel: Channel,
        fresh_pipeline: Callable[[], Pipeline | Deaf],
        *,
        further: FurtherLanguages,
        own_ear: OwnEar | None,
        unverified: str | None,
    ) -> None:
        self._kit = kit
        self._voice = voice
        self._channel = channel
        self._fresh_pipeline = fresh_pipeline
        self._further = further
        self._own_ear = own_ear
        self._unverified = unverified
        """Why what is heard is not verified, while that is to be told."""
        self._watch = Watch(voice.name, channel.send)
        self._attempts = 0
        """Failures since the last block."""
        self._metering = Metering(voice.meter) if voice.meter.enabled else None

    def run(self) -> None:
        while not self._channel.closed.is_set():
            try:
                microphone = self._kit.microphone(self._voice)
            except HardwareHangs:
                raise
            except HardwareLost as lost:
                self._watch.lost(lost)
            else:
                self._use(microphone)
            self._channel.closed.wait(RETRY_S[min(self._attempts, len(RETRY_S) - 1)])
            self._attempts += 1

    def _use(self, microphone: Microphone) -> None:
        """Hear the microphone until it is lost or the channel closes.

        Raises:
            HardwareHangs: it does not come back from being closed.
        """
        try:
            self._hear(microphone)
        except HardwareLost as lost:
            self._watch.lost(lost)  # before closing it, which takes seconds when it hangs
        finally:
            microphone.close()

    def _hear(self, microphone: Microphone) -> None:
        """Hear the microphone until the channel closes.

        Raises:
            HardwareLost: it went away.
        """
        pipeline = self._fresh_pipeline()
        for language in self._further.loaded:
            pipeline.add(language)
        ended_s = recognised_s = 0.0
        rejected: Counter[Rejection] = Counter()
        try:
            for block in microphone.blocks():
                if self._channel.closed.is_set():
                    return
                self._attempts = 0
                self._watch.arrived(block)
                ended_s = block.ended_s
                self._tell(pipeline.hear(block))
                for likely in pipeline.suspicions:
                    self._channel.send(PhraseSuspected(likely.phrase.label, likely.since_s, likely.phrase.silent))
                rejected = self._log_rejected(pipeline.rejected, rejected)
                if self._metering and (measured := self._metering.feed(block)):
                    self._channel.send(measured)
                if self._own_ear:
                    self._test(self._own_ear, block, asleep=pipeline.asleep)
                before_s, recognised_s = recognised_s, pipeline.recognised_s
                self._watch.heard(
                    block, recognised_s=recognised_s - before_s, recogniser_age_s=pipeline.recogniser_age_s
                )
                if self._unverified:  # after the proof of work, as in `_take_up`
                    self._channel.send(Trouble(UNVERIFIED, self._unverified))
                    self._unverified = None
                self._take_up(pipeline, ended_s)
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

    def _test(self, own_ear: OwnEar, block: PcmBlock, *, asleep: bool) -> None:
        """Take the daemon's wish for a self-test, and hear the unit's own line when one is under way."""
        request = self._channel.request(timeout_s=0.0)
        if isinstance(request, SelfTest):
            own_ear.ask(request.number)
        if answer := own_ear.hear(block, asleep=asleep):
            self._channel.send(answer)

    def _log_rejected(self, now: Counter[Rejection], before: Counter[Rejection]) -> Counter[Rejection]:
        """Log what was heard and did not count: how a site finds out that its phrases or decoys are ill chosen."""
        for reason, times in (now - before).items():
            log.info("phrase_not_counted", microphone=self._voice.name, reason=reason.value, times=times)
        return now.copy()

    def _take_up(self, pipeline: Pipeline | Deaf, now_s: float) -> None:
        """Hear the further languages that have been loaded meanwhile, and tell of those that cannot be.

        After the proof of work: with the first one, the daemon takes for over what this listener complained of before.
        """
        for news in self._further.news(now_s):
            if isinstance(news, Unheard):
                text = f"The language {news.name} is not heard: {news.why}. The main language is heard."
                self._channel.send(Trouble(unheard_code(news.name), text))
            else:
                pipeline.add(news.language)
                if news.late:
                    self._channel.send(TroubleOver(unheard_code(news.name)))
