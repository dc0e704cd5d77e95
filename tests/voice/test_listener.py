from __future__ import annotations

import queue
import re
import shutil
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pytest
import structlog

from agent.config.hearing import LanguageSettings, MeterSettings, PhraseSettings, VoiceSettings
from agent.config.settings import Config, SpeakerSettings, UnitSettings, UplinkSettings
from agent.helpers.channel import Channel
from agent.helpers.messages import (
    Event,
    HearingStands,
    PhraseHeard,
    PhraseSuspected,
    SelfTest,
    SelfTestBegun,
    SelfTestEnded,
    SoundMeasured,
    Trouble,
    TroubleOver,
    Working,
    decode,
    encode,
)
from agent.hw.kit import BLOCK_MS, BLOCK_SAMPLES, HardwareHangs, HardwareLost, PcmBlock
from agent.signals import Line
from agent.voice.behind import OVER_AFTER_WINDOWS
from agent.voice.lexicon import BUNDLED_MODEL
from agent.voice.listener import UNVERIFIED, Listener, unheard_code
from agent.voice.microphone_check import HELD_S, OVER_AFTER_S
from agent.voice.verifier import VerifierUnusable
from agent.voice.watch import BACK_AFTER_S, LOST
from fakes.widener import Widener
from tests.voice.polish import polish_model
from tests.voice.sounds import Street

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.voice.verifier import Verifier

T = TypeVar("T", bound=Event)
LIMIT_S = 60.0
"""How long a test waits for what must come; only a failing one waits so long."""


class TableMicrophone:
    """A microphone whose cable a test holds in its hand."""

    def __init__(self) -> None:
        self.plugged = True
        self.frozen = False
        self.opened = 0
        self._blocks: queue.SimpleQueue[PcmBlock | None] = queue.SimpleQueue()
        self._closed = threading.Event()

    def microphone(self, _settings: VoiceSettings) -> TableMicrophone:
        """What a kit does."""
        self.opened += 1
        if not self.plugged:
            msg = "there is no such device"
            raise HardwareLost(msg)
        self._closed.clear()
        return self

    def blocks(self) -> Iterator[PcmBlock]:
        while not self._closed.is_set():
            try:
                block = self._blocks.get(timeout=0.02)
            except queue.Empty:
                continue
            if block is None:
                msg = "the cable is out"
                raise HardwareLost(msg)
            yield block

    def close(self) -> None:
        self._closed.set()
        if self.frozen:
            msg = "the microphone does not come back from being stopped"
            raise HardwareHangs(msg)

    def hear(self, blocks: list[PcmBlock]) -> None:
        for block in blocks:
            self._blocks.put(block)

    def pull_out(self) -> None:
        self.plugged = False
        self._blocks.put(None)

    def freeze(self) -> None:
        """Hang as on a stopped sound server: no blocks, and no way to end it."""
        self.frozen = True
        self._blocks.put(None)


class Daemon:
    """The daemon's end: starts the listener's code in a thread and reads what it says."""

    def __init__(self, microphone: TableMicrophone, voice: VoiceSettings) -> None:
        self._microphone = microphone
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(LIMIT_S)
        self._lines = self._ours.makefile("rb")
        self._channel = Channel(theirs)
        self.ended_with: Exception | None = None
        self._thread = threading.Thread(target=self._work, args=(voice,))
        self._thread.start()

    def _work(self, voice: VoiceSettings) -> None:
        try:
            Listener().run(config(voice), self._channel)
        except HardwareLost as lost:
            self.ended_with = lost
        finally:
            self._channel.close()

    def events(self) -> Iterator[Event]:
        for line in self._lines:
            event = decode(line)
            assert isinstance(event, Event)
            yield event

    def next(self, kind: type[T]) -> T:
        return next(event for event in self.events() if isinstance(event, kind))

    def until(self, kind: type[Event]) -> list[Event]:
        """What it says until it says this, and that."""
        said: list[Event] = []
        for event in self.events():
            said.append(event)
            if isinstance(event, kind):
                break
        return said

    def ask(self, request: SelfTest) -> None:
        self._ours.sendall(encode(request))

    def hang_up(self) -> None:
        self._ours.shutdown(socket.SHUT_RDWR)
        limit_s = time.monotonic() + LIMIT_S
        while self._thread.is_alive() and time.monotonic() < limit_s:
            # A microphone gives sound for as long as it is open; the listener looks for its daemon between two blocks.
            self._microphone.hear([PcmBlock(bytes(2 * BLOCK_SAMPLES), time.monotonic())])
            self._thread.join(BLOCK_MS / 1000)
        assert not self._thread.is_alive()
        self._lines.close()
        self._ours.close()


def config(voice: VoiceSettings) -> Config:
    return Config(
        profile="safe-point",
        unit=UnitSettings(id="hk-001", org="ashfield", name="Central Walk", location="North end"),
        uplink=UplinkSettings(broker="mqtt://localhost", insecure_lab=True),
        voice=voice,
        speaker=SpeakerSettings(enabled=True),
    )


def listening_for(*phrases: PhraseSettings, model: Path | None = None) -> VoiceSettings:
    return VoiceSettings(enabled=True, phrases=phrases, model=model)


HELP_ME = PhraseSettings(say="help me", label="help-me", min_confidence=0.6)


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch) -> TableMicrophone:
    microphone = TableMicrophone()
    monkeypatch.setattr("agent.voice.listener.load_kit", lambda _name, _options: microphone)
    return microphone


@pytest.fixture
def daemon(microphone: TableMicrophone) -> Iterator[Daemon]:
    assert microphone.plugged
    daemon = Daemon(microphone, listening_for(HELP_ME, PhraseSettings(say="i need help", label="duress", silent=True)))
    yield daemon
    daemon.hang_up()


def test_a_phrase_is_told_with_its_label_and_its_moments_and_never_its_words(
    daemon: Daemon, microphone: TableMicrophone
) -> None:
    street = Street(seed=11)
    ended_s = street.say("help-me-slt", 20)
    microphone.hear(street.blocks(4))
    heard = daemon.next(PhraseHeard)
    assert (heard.label, heard.silent) == ("help-me", False)
    assert heard.end_s == pytest.approx(ended_s, abs=0.25)
    assert heard.start_s < heard.end_s <= heard.decided_s < ended_s + 1
    assert 0.6 <= heard.confidence <= 1


def test_a_duress_phrase_is_told_as_silent(daemon: Daemon, microphone: TableMicrophone) -> None:
    street = Street(seed=12)
    street.say("i-need-help-espeak", 20)
    microphone.hear(street.blocks(4))
    suspected = daemon.next(PhraseSuspected)
    assert (suspected.label, suspected.silent) == ("duress", True)
    heard = daemon.next(PhraseHeard)
    assert (heard.label, heard.silent) == ("duress", True)
    assert suspected.since_s < heard.decided_s


def test_each_second_of_sound_is_proved_and_lost_blocks_are_counted(
    daemon: Daemon, microphone: TableMicrophone
) -> None:
    blocks = Street(seed=13).blocks(5)
    gap = blocks[20]
    blocks[20] = PcmBlock(gap.pcm, gap.ended_s, lost=3)
    microphone.hear(blocks)
    proofs = [daemon.next(Working) for _ in range(5)]
    assert [proof.done for proof in proofs] == [1, 11, 21, 31, 41]
    assert [proof.lost for proof in proofs] == [0, 0, 3, 3, 3]


def test_a_phrase_that_was_heard_but_does_not_count_is_logged_with_the_reason(
    daemon: Daemon, microphone: TableMicrophone
) -> None:
    street = Street(seed=18)
    with structlog.testing.capture_logs() as logged:
        for _ in range(2):
            street.say("help-me-slt", 20)
            microphone.hear(street.blocks(2.5))
        told = [daemon.next(Working) for _ in range(5)]
    assert told[-1].done == 41
    assert [(line["event"], line["reason"]) for line in logged] == [("phrase_not_counted", "refractory")]


def test_a_microphone_that_vanishes_is_told_once_and_heard_again_when_it_returns(
    daemon: Daemon, microphone: TableMicrophone
) -> None:
    street = Street(seed=14)
    microphone.hear(street.blocks(2))
    daemon.next(Working)
    microphone.pull_out()
    lost = daemon.next(Trouble)
    assert lost.code == LOST
    assert "mic-1" in lost.text
    assert "the cable is out" in lost.text
    wait_until = threading.Event()
    while microphone.opened < 3:  # it was tried in vain at least once
        wait_until.wait(0.02)
    microphone.plugged = True
    street.say("help-me-slt", 20)
    microphone.hear(street.blocks(BACK_AFTER_S + 1))
    told = [event for event in daemon.until(TroubleOver) if isinstance(event, PhraseHeard | Trouble | TroubleOver)]
    assert [type(event) for event in told] == [PhraseHeard, TroubleOver], "calls count before it is called back"
    assert told[-1] == TroubleOver(LOST)


def test_a_microphone_that_comes_and_goes_is_lost_once(daemon: Daemon, microphone: TableMicrophone) -> None:
    street = Street(seed=24)
    microphone.hear(street.blocks(1))
    for _ in range(3):
        before = microphone.opened
        microphone.pull_out()
        while microphone.opened == before:
            threading.Event().wait(0.02)
        microphone.plugged = True
        microphone.hear(street.blocks(BACK_AFTER_S / 2))
    microphone.hear(street.blocks(BACK_AFTER_S))
    told = [event for event in daemon.until(TroubleOver) if isinstance(event, Trouble | TroubleOver)]
    assert [event.code for event in told] == [LOST, LOST]


def test_what_was_said_just_before_the_microphone_went_counts(daemon: Daemon, microphone: TableMicrophone) -> None:
    street = Street(seed=15)
    ended_s = street.say("help-me-slt", 20)
    microphone.hear([block for block in street.blocks(4) if block.ended_s < ended_s + 0.1])
    daemon.next(Working)
    microphone.pull_out()
    assert daemon.next(PhraseHeard).label == "help-me"
    assert daemon.next(Trouble).code == LOST


def test_a_muted_microphone_is_told_and_so_is_its_sound_when_it_is_back(
    daemon: Daemon, microphone: TableMicrophone
) -> None:
    street = Street(seed=16)
    microphone.hear([PcmBlock(bytes(2 * BLOCK_SAMPLES), block.ended_s) for block in street.blocks(HELD_S + 1)])
    told = daemon.next(Trouble)
    assert told.code == "microphone-silent"
    assert told.text == "The microphone mic-1 gives no sound at all: it is muted or unplugged."
    microphone.hear(street.blocks(OVER_AFTER_S + 1))
    assert daemon.next(TroubleOver) == TroubleOver("microphone-silent")


def test_another_fault_takes_the_place_of_the_one_before(daemon: Daemon, microphone: TableMicrophone) -> None:
    street = Street(seed=19)
    stuck = (1234).to_bytes(2, "little") * BLOCK_SAMPLES
    microphone.hear([PcmBlock(bytes(2 * BLOCK_SAMPLES), block.ended_s) for block in street.blocks(HELD_S + 1)])
    microphone.hear([PcmBlock(stuck, block.ended_s) for block in street.blocks(HELD_S + 1)])
    assert daemon.next(Trouble).code == "microphone-silent"
    assert daemon.next(TroubleOver).code == "microphone-silent"
    assert daemon.next(Trouble).code == "microphone-constant"


def test_a_listener_that_loses_a_tenth_of_the_sound_says_so_until_it_keeps_up(
    daemon: Daemon, microphone: TableMicrophone
) -> None:
    street = Street(seed=22)
    microphone.hear([replace(block, lost=int(number % 6 == 0)) for number, block in enumerate(street.blocks(11))])
    told = daemon.next(Trouble)
    assert told.code == "microphone-behind"
    microphone.hear(street.blocks(35))
    microphone.hear([replace(block, lost=int(number % 6 == 0)) for number, block in enumerate(street.blocks(11))])
    microphone.hear(street.blocks(10 * OVER_AFTER_WINDOWS + 11))
    after = [event for event in daemon.until(TroubleOver) if isinstance(event, Trouble | TroubleOver)]
    assert after == [TroubleOver("microphone-behind")], "not each time that it keeps up for a moment"


def test_each_ten_seconds_of_sound_tell_how_the_hearing_stands(daemon: Daemon, microphone: TableMicrophone) -> None:
    street = Street(seed=20)
    street.say("help-me-slt", 20)
    blocks = street.blocks(21)
    blocks[150] = PcmBlock(blocks[150].pcm, blocks[150].ended_s, lost=2)
    microphone.hear(blocks)
    first, second = daemon.next(HearingStands), daemon.next(HearingStands)
    assert second.at_s - first.at_s == pytest.approx(10)
    assert (first.facts["blocksPerS"], first.facts["blocksLost"], second.facts["blocksLost"]) == (10, 0, 2)
    assert -60 < first.facts["floorDbfs"] < first.facts["levelDbfs"] < first.facts["ceilingDbfs"] < -10
    assert 0.1 < first.facts["recognisedShare"] <= 1, "somebody spoke"
    assert 0 < first.facts["recogniserAgeS"] <= second.facts["recogniserAgeS"]
    assert 0 < first.facts["realTimeFactor"] < 1
    assert first.facts["residentMb"] > 10


def test_a_sound_system_that_does_not_come_back_ends_the_listener(daemon: Daemon, microphone: TableMicrophone) -> None:
    microphone.hear(Street(seed=21).blocks(1))
    daemon.next(Working)
    microphone.freeze()
    assert daemon.next(Trouble).code == LOST
    assert not list(daemon.events()), "the line is closed: the next process is its owner's matter"
    assert isinstance(daemon.ended_with, HardwareHangs)


def heard_widely(blocks: list[PcmBlock]) -> list[PcmBlock]:
    """As a microphone gives them while a meter is on."""
    widener = Widener()
    return [replace(block, wide=widener.feed(block.pcm)) for block in blocks]


def until_measured(daemon: Daemon) -> list[Event]:
    """All that is said up to the first levels."""
    said: list[Event] = []
    for event in daemon.events():
        said.append(event)
        if isinstance(event, SoundMeasured):
            break
    return said


METER = MeterSettings(enabled=True)


def test_a_meter_measures_beside_listening(microphone: TableMicrophone) -> None:
    daemon = Daemon(microphone, VoiceSettings(enabled=True, phrases=(HELP_ME,), meter=METER))
    street = Street(seed=19)
    street.say("help-me-slt", 20)
    microphone.hear(heard_widely(street.blocks(12)))
    said = until_measured(daemon)
    daemon.hang_up()
    assert any(isinstance(event, PhraseHeard) for event in said)


def test_a_unit_that_only_measures_needs_no_voice_model_and_hears_no_phrase(
    microphone: TableMicrophone, tmp_path: Path
) -> None:
    daemon = Daemon(microphone, VoiceSettings(phrases=(HELP_ME,), model=tmp_path / "none", meter=METER))
    street = Street(seed=20)
    street.say("help-me-slt", 20)
    microphone.hear(heard_widely(street.blocks(12)))
    said = until_measured(daemon)
    daemon.hang_up()
    assert {type(event) for event in said} == {Working, HearingStands, SoundMeasured}
    measured = said[-1]
    assert isinstance(measured, SoundMeasured)
    assert -60 < measured.la90_db < measured.laeq_db < measured.lafmax_db < 0
    assert measured.calibrated_on is None


def test_the_unit_hears_its_own_line_and_a_call_said_right_after_it(
    daemon: Daemon, microphone: TableMicrophone
) -> None:
    street = Street(21, level_dbfs=-62.0)
    daemon.ask(SelfTest(3))
    begun: list[SelfTestBegun] = []
    while not begun:
        microphone.hear(street.blocks(1))
        for event in daemon.events():
            if isinstance(event, SelfTestBegun):
                begun.append(event)
            if isinstance(event, Working):
                break
    assert begun == [SelfTestBegun(3)]
    street.speak(Line.SOUND_CHECK)
    microphone.hear(street.blocks(2.5))
    street.say("help-me-slt", 30)
    microphone.hear(street.blocks(4))
    told = [next(each for each in daemon.events() if isinstance(each, SelfTestEnded | PhraseHeard)) for _ in range(2)]
    ended = next(each for each in told if isinstance(each, SelfTestEnded))
    assert ended.number == 3
    assert ended.level_dbfs == pytest.approx(-25, abs=3)
    assert [each.label for each in told if isinstance(each, PhraseHeard)] == ["help-me"]


def test_the_listener_ends_when_the_daemon_is_gone(daemon: Daemon, microphone: TableMicrophone) -> None:
    microphone.hear(Street(seed=17).blocks(1.1))
    assert [daemon.next(Working).done for _ in range(2)] == [1, 11], "it has heard all there is"
    # The daemon hangs up at the end of every test, and waits for the listener's end.


@pytest.mark.parametrize("broken", ["missing", "cut short", "unknown word"])
def test_a_voice_that_cannot_be_is_one_sentence(microphone: TableMicrophone, tmp_path: Path, broken: str) -> None:
    model = tmp_path / "model"
    phrase = HELP_ME
    if broken != "missing":
        shutil.copytree(BUNDLED_MODEL, model)
    if broken == "cut short":
        (model / "graph/HCLr.fst").write_bytes(b"not a graph")
    if broken == "unknown word":
        phrase = PhraseSettings(say="is zygmunt in today", label="staff-duress", silent=True)
    daemon = Daemon(microphone, listening_for(phrase, model=model))
    assert not list(daemon.events())
    daemon.hang_up()
    assert isinstance(daemon.ended_with, HardwareLost)
    assert "voice model" in str(daemon.ended_with)
    assert not re.search("zygmunt|today", str(daemon.ended_with)), "it becomes a fault, and the words stay in the unit"
    assert microphone.opened == 0


CALL_THE_POLICE = PhraseSettings(say="call the police", label="police")
POMOZ_MI = PhraseSettings(say="pomóż mi", label="pomoc")


def listening_beside(polish: Path, phrase: PhraseSettings = POMOZ_MI) -> VoiceSettings:
    further = LanguageSettings(name="pl", model=polish, phrases=(phrase,))
    return VoiceSettings(enabled=True, phrases=(CALL_THE_POLICE,), languages=(further,))


def until_the_languages_are_loaded(daemon: Daemon, microphone: TableMicrophone, street: Street) -> None:
    """Wait until the listener has loaded what it can, and hears."""
    microphone.hear(street.blocks(0.1))
    daemon.next(Working)  # the main language is heard from now on
    wait_until = threading.Event()
    while any(thread.name == "languages" for thread in threading.enumerate()):
        wait_until.wait(0.05)
    microphone.hear(street.blocks(0.1))  # they are taken up between two blocks


def test_a_further_language_is_heard_once_it_is_loaded_and_after_the_microphone_was_lost_too(
    microphone: TableMicrophone, tmp_path: Path
) -> None:
    daemon = Daemon(microphone, listening_beside(polish_model(tmp_path / "pl")))
    street = Street(seed=11)
    until_the_languages_are_loaded(daemon, microphone, street)
    street.say("help-me-slt", 20)
    microphone.hear(street.blocks(3))
    assert daemon.next(PhraseHeard).label == "pomoc"
    microphone.pull_out()
    assert daemon.next(Trouble).code == LOST
    microphone.plugged = True
    street.say("help-me-slt", 20)
    microphone.hear(street.blocks(3))
    assert daemon.next(PhraseHeard).label == "pomoc"
    daemon.hang_up()


@pytest.mark.parametrize("broken", ["missing", "damaged", "unknown word"])
def test_a_further_language_that_cannot_be_heard_is_told_and_the_main_one_is_heard(
    microphone: TableMicrophone, tmp_path: Path, broken: str
) -> None:
    model, phrase = tmp_path / "pl", POMOZ_MI
    if broken != "missing":
        polish_model(model)
    if broken == "damaged":
        (model / "graph/HCLr.fst").write_bytes(b"not a graph")
    if broken == "unknown word":
        phrase = PhraseSettings(say="please help", label="pomoc")
    daemon = Daemon(microphone, listening_beside(model, phrase))
    street = Street(seed=12)
    # Told after the first proof, with which the daemon takes all earlier complaints for over.
    until_the_languages_are_loaded(daemon, microphone, street)
    told = daemon.next(Trouble)
    assert told.code == unheard_code("pl")
    assert told.text.startswith("The language pl is not heard: ")
    assert str(model) in told.text
    assert not re.search("please|help", told.text), "it is sent, and the words stay in the unit"
    assert told.text.endswith(". The main language is heard.")
    street.say("call-the-police-rms", 20)
    microphone.hear(street.blocks(4))
    assert daemon.next(PhraseHeard).label == "police"
    daemon.hang_up()


def test_a_unit_whose_second_engine_cannot_be_used_hears_without_it_and_tells(
    microphone: TableMicrophone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Verifier:
        msg = "the package onnxruntime is not installed"
        raise VerifierUnusable(msg)

    monkeypatch.setattr("agent.voice.listener.load_verifier", broken)
    daemon = Daemon(microphone, listening_for(HELP_ME).model_copy(update={"verifier": True}))
    street = Street(seed=11)
    street.say("help-me-slt", 20)
    microphone.hear(street.blocks(4))
    told = daemon.next(Trouble)  # after the first proof, with which the daemon takes all earlier complaints for over
    assert (told.code, told.text) == (
        UNVERIFIED,
        "Calls are heard, but not verified: the package onnxruntime is not installed.",
    )
    assert daemon.next(PhraseHeard).label == "help-me"
    daemon.hang_up()


def test_a_unit_with_a_second_engine_tells_what_that_one_confirms_and_not_what_it_denies(
    microphone: TableMicrophone, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Denies:
        def fit(self, text: str, _pcm: bytes) -> float:
            return 0.0 if text == "help me" else -50.0

    monkeypatch.setattr("agent.voice.listener.load_verifier", Denies)
    police = PhraseSettings(say="call the police", label="police", min_confidence=0.6)
    daemon = Daemon(microphone, listening_for(HELP_ME, police).model_copy(update={"verifier": True}))
    street = Street(seed=11)
    for name in ("call-the-police-rms", "help-me-slt"):
        street.say(name, 20)
        microphone.hear(street.blocks(4))
    heard = daemon.next(PhraseHeard)
    assert (heard.label, heard.confidence) == ("help-me", 1.0)
    daemon.hang_up()
