"""The log is read by others, who may stop: nobody waits for them, and what they miss is counted and told."""

from __future__ import annotations

import asyncio
import fcntl
import linecache
import logging
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import structlog

from agent import journal
from agent.clock import SystemClock
from agent.health import log as log_check
from agent.scribe import INFOS_FILL, LIMIT_BYTES
from tests.health.test_checks import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT_S = 60.0
log = structlog.get_logger()


class Reader:
    """Who reads the log: through a pipe that holds one page, and only when told to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self._read, self._write = os.pipe()
        fcntl.fcntl(self._write, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self._read, False)
        self.stream = os.fdopen(self._write, "w")
        self._said = b""

    def read(self) -> list[str]:
        """Read what there is; returns all lines so far."""
        try:
            while some := os.read(self._read, 65536):
                self._said += some
        except BlockingIOError:
            pass
        return self._said.decode().splitlines()

    async def until(self, holds: Callable[[list[str]], object]) -> list[str]:
        """Read on until it holds; returns all lines so far."""
        async with asyncio.timeout(LIMIT_S):
            while not holds(lines := self.read()):  # noqa: ASYNC110 - a pipe cannot set an event
                await asyncio.sleep(0.01)
        return lines

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Read what the log says meanwhile."""
        self._patch.setattr(sys, "stderr", self.stream)
        with journal.apart():
            yield

    def go(self) -> None:
        """Go away for good."""
        os.close(self._read)

    def close(self) -> None:
        """End the pipe."""
        self.stream.close()


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Read what is meant for standard error."""
    reader = Reader(monkeypatch)
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    yield reader
    structlog.reset_defaults()
    reader.close()


async def stuck(waits: bool = True) -> None:  # noqa: FBT001, FBT002 - a state
    """Wait until the writer waits for its reader."""
    async with asyncio.timeout(LIMIT_S):
        while (journal.standing().stuck_s > 0.1) is not waits:  # noqa: ASYNC110 - it is another thread's
            await asyncio.sleep(0.01)


async def test_a_line_keeps_its_words_and_its_priority(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "9:9")
    with reader.listening():
        log.info("lamp_lit", pin=17)
        log.warning("link_lost", reason="a quiet\nbroker")
        log.error("speaker_lost")
    assert reader.read() == [
        "<6>event=lamp_lit pin=17",
        '<4>event=link_lost reason="a quiet | broker"',
        "<3>event=speaker_lost",
    ]


async def test_nobody_waits_for_a_reader_that_stopped_and_the_loss_is_told_when_it_is_back(reader: Reader) -> None:
    with reader.listening():
        for number in range(20_000):
            log.info("chatter", number=number)
        await stuck()
        lost = journal.standing().lost
        assert lost > 0
        lines = await reader.until(lambda lines: f"event=log_lines_lost lines={lost} total={lost}" in lines)
        assert len(lines) == 20_000 - lost + 1
        log.info("later")
    assert reader.read()[-1] == "event=later"


async def test_what_is_wrong_is_kept_when_there_is_no_room_for_what_is_usual(reader: Reader) -> None:
    with reader.listening():
        log.info("x" * 8000)  # more than the pipe holds
        await stuck()
        for _ in range(LIMIT_BYTES // 1000):
            log.info("y" * 1000)
        assert journal.standing().waiting * 1000 < LIMIT_BYTES * INFOS_FILL
        log.warning("link_lost")
        for _ in range(LIMIT_BYTES // 1000):
            log.warning("z" * 1000)
        log.error("speaker_lost")
        lines = await reader.until(lambda lines: any("log_lines_lost" in line for line in lines))
    assert "event=link_lost" in lines
    assert "event=speaker_lost" in lines


async def test_an_orderly_end_writes_what_waits_but_not_for_ever(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "WRITTEN_WITHIN_S", 0.2)
    threads = threading.active_count()
    with reader.listening():
        log.info("x" * 8000)
        await stuck()
    assert threading.active_count() == threads + 1, "it is left alone"
    sys.stderr.write("safepoint: the last words\n")  # nor do these wait
    log.error("nor this")
    await reader.until(lambda lines: any(len(line) > 8000 for line in lines))


async def test_a_reader_that_is_gone_ends_nothing(reader: Reader, tmp_path: Path) -> None:
    with reader.listening():
        reader.go()
        log.info("into_the_void")
        async with asyncio.timeout(LIMIT_S):
            while not journal.standing().lost:  # noqa: ASYNC110 - it is another thread's
                await asyncio.sleep(0.01)
        reading = log_check.check(config(tmp_path))
        assert reading.facts["lost"] == 1
        assert "Broken pipe" in reading.faults["broken"]


async def test_a_reader_that_does_not_come_back_is_a_fault_with_a_restore(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_check, "STUCK_S", 0.1)
    with reader.listening():
        log.info("x" * 8000)
        await stuck()
        assert "stuck" in log_check.check(config(tmp_path)).faults
        await reader.until(lambda lines: lines)
        await stuck(waits=False)
        assert not log_check.check(config(tmp_path)).faults


async def test_what_libraries_and_python_itself_say_goes_the_same_way(reader: Reader) -> None:
    with reader.listening():
        logging.getLogger("asyncio").error("Task was destroyed", exc_info=ValueError("of no use"))
        threading.__excepthook__(threading.ExceptHookArgs((RuntimeError, RuntimeError("died"), None, None)))
        sys.stderr.write("no end")
    said = "\n".join(reader.read())
    assert said.count("event=library_said") == 1
    assert "ValueError: of no use" in said
    assert "RuntimeError: died" in said
    assert 'event=said text="no end"' in said


async def test_a_trace_says_where_without_reading_sources(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def from_disk(*_: object) -> str:
        pytest.fail("a source was read from a disk that may hang")

    monkeypatch.setattr(linecache, "getline", from_disk)
    with reader.listening():
        try:
            try:
                SystemClock().at("never")  # type: ignore[arg-type]
            except TypeError as error:
                msg = "two at once"
                raise ExceptionGroup(msg, [ValueError("the one"), error]) from error
        except ExceptionGroup:
            log.exception("part_failed")
    (line,) = reader.read()
    assert "clock.py" in line
    assert "ValueError: the one" in line
    assert "two at once" in line


def test_a_crash_still_says_why_after_what_was_logged_before() -> None:
    crash = """
import structlog
from agent import journal
with journal.apart():
    structlog.get_logger().info("lamp_lit")
    raise RuntimeError("of no use")
"""
    ran = subprocess.run([sys.executable, "-c", crash], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert ran.returncode == 1
    lines = ran.stderr.splitlines()
    assert (lines[0], lines[1], lines[-1]) == (
        "event=lamp_lit",
        "Traceback (most recent call last):",
        "RuntimeError: of no use",
    )
