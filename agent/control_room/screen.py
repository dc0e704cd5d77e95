"""The operator's terminal: draws the desk, and turns keys into what an operator does."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from rich.live import Live

from agent.control_room.acks import AlertUnknown
from agent.control_room.command_line import HELP
from agent.control_room.drawing import FLASH_S, Scene, apology, draw, in_order
from agent.control_room.happenings import Happening, What
from agent.control_room.keys import Key, keyboard
from agent.control_room.plain_text import plain
from agent.control_room.telling import have_done
from agent.signals import Outcome
from agent.uplink.publication import LinkDown, PublishRefused
from agent.uplink.validation import MessageInvalid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.console import Console, Group

    from agent.clock import Clock
    from agent.control_room.room import ControlRoom

log = structlog.get_logger()

LOOK_S: Final = 1.0
"""After closing an alert has moved the selection on, no key counts until it was let alone for so long: one that is held
down, or pressed again because nothing seemed to happen, must not close the next caller, whom nobody looked at."""
KEYS_OF_OPEN_ALERTS: Final = frozenset("agft")
LONGEST_TYPED: Final = 200
"""Characters of a cause or a command: a line, not an essay; a message takes 1,024."""
SHOWN_OF_TYPED: Final = 30
"""Characters of it that are shown while it is typed: the end, where the typing goes on."""
_NOT_WORTH_A_LINE = frozenset({What.DUPLICATE, What.OLDER_REVISION})


@dataclass
class _Question:
    """What the operator is asked for, and what was typed so far."""

    words: str
    answered: Callable[[str], None]
    typed: str = ""
    of_alert: bool = False
    """It is about the selected alert, and goes with it."""


class Screen:
    """One operator at one terminal.

    The selection sticks to its alert, so that no key ever hits another one that just moved under it.
    """

    def __init__(self, room: ControlRoom, clock: Clock, console: Console) -> None:
        self._room = room
        self._clock = clock
        self._console = console
        self._selected: str | None = None
        self._moved_on_s = float("-inf")
        """When closing an alert last moved the selection on, or a key was pressed too soon after that."""
        self._note = ""
        self._asked: _Question | None = None
        self._wake = asyncio.Event()
        self._stopped = False
        self._is_drawn = True
        """Whether the last picture could be drawn."""
        self._sayings: asyncio.TaskGroup | None = None
        self._commanding: set[asyncio.Task[None]] = set()
        room.listen(self._happened)

    async def run(self) -> None:
        """Show the desk until the operator quits or `stop`; then the terminal is as it was before."""
        live = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        with live, keyboard(sys.stdin.fileno(), self._press):
            async with asyncio.TaskGroup() as self._sayings:
                while not self._stopped:
                    self._wake.clear()
                    self._show_desk(live)
                    await self._woken()
                for commanding in [*self._commanding]:
                    commanding.cancel()  # a light burns on; nobody is left to read that it is out

    def stop(self) -> None:
        """End the showing."""
        self._stopped = True
        self._wake.set()

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(FLASH_S):
                await self._wake.wait()
        except TimeoutError:
            return  # ages grow and alerts flash without anything happening

    def _show_desk(self, live: Live) -> None:
        """Draw the desk; where that fails say so, and what happened last: no message may end an operator's console."""
        try:
            live.update(self._draw(), refresh=True)
        except OSError:
            raise  # the terminal is gone
        except Exception as error:
            if self._is_drawn:
                log.exception("desk_not_drawn")
            self._is_drawn = False
            live.update(apology(error, self._room.desk, self._note), refresh=True)
        else:
            if not self._is_drawn:
                log.info("desk_drawn_again")
            self._is_drawn = True

    def _draw(self) -> Group:
        if self._selected not in self._room.alerts:
            is_open = (alert.alert_id for alert in in_order(self._room.desk) if not alert.closed)
            self._selected = next(is_open, None)
            if self._asked is not None and self._asked.of_alert:
                self._asked = None
        asked = None if self._asked is None else f"{self._asked.words}: {self._asked.typed[-SHOWN_OF_TYPED:]}_"
        scene = Scene(
            desk=self._room.desk,
            now=self._clock.now(),
            trouble=self._room.trouble,
            refused=self._room.refused,
            selected=self._selected,
            album=self._room.album,
            note=self._note if asked is None else asked,
        )
        return draw(scene, self._console.width, self._console.height)

    def _happened(self, happening: Happening) -> None:
        if happening.what not in _NOT_WORTH_A_LINE:
            self._note = happening.text
        if happening.what is What.ALERT_RAISED:
            self._console.bell()
        self._wake.set()

    def _press(self, key: str) -> None:
        if key == Key.END:
            self.stop()
        elif self._asked is not None:
            self._type(key, self._asked)
        elif key in {"q", "Q"}:
            self.stop()
        elif key == ":":
            unit = self._room.alerts[self._selected].unit if self._selected in self._room.alerts else None
            self._asked = _Question(HELP, self._command, "" if unit is None else f"{unit} ")
        elif key in {Key.UP, "k", Key.DOWN, "j"}:
            self._move(-1 if key in {Key.UP, "k"} else 1)
        elif self._selected is not None and self._selected in self._room.alerts:
            self._act(key, self._selected)
        self._wake.set()

    def _act(self, key: str, alert_id: str) -> None:
        now_s, moved_on_s = self._clock.now().monotonic_s, self._moved_on_s
        if key in KEYS_OF_OPEN_ALERTS and now_s - moved_on_s < LOOK_S:
            self._moved_on_s = now_s  # a key that is held down gets nowhere
            self._note = "Another alert is selected now: look at it, then press the key again."
            return
        if key in KEYS_OF_OPEN_ALERTS and self._room.alerts[alert_id].closed:
            self._note = "It is closed already."
            return
        match key:
            case "a":
                self._say(self._room.acknowledge(alert_id), "acknowledged")
            case "g":
                judged = self._room.alerts[alert_id].latest.revision  # as shown, not what comes before it is said
                self._say(self._close(alert_id, Outcome.GENUINE, revision=judged), "closed as genuine")
            case "t":
                self._ask_why("What was the test?", alert_id, Outcome.TEST, "a test")
            case "f":
                self._ask_why("Why was it false?", alert_id, Outcome.FALSE, "false")

    def _ask_why(self, question: str, alert_id: str, outcome: Outcome, as_what: str) -> None:
        judged = self._room.alerts[alert_id].latest.revision  # not what comes while the operator types

        def close(cause: str) -> None:
            self._say(self._close(alert_id, outcome, cause, judged), f"closed as {as_what}: {cause}")

        self._asked = _Question(f"{question} Enter sends, Esc goes back", close, of_alert=True)

    def _type(self, key: str, asked: _Question) -> None:
        match key:
            case Key.ENTER if asked.typed.strip():
                self._asked = None
                asked.answered(asked.typed.strip())
            case Key.ESCAPE:
                self._asked = None
            case Key.BACKSPACE:
                asked.typed = asked.typed[:-1]
            case _ if not isinstance(key, Key):
                asked.typed = (asked.typed + key)[:LONGEST_TYPED]

    def _command(self, line: str) -> None:
        if self._sayings is not None:
            work = self._sayings.create_task(have_done(self._room, line, self._show), name="control-room-command")
            self._commanding.add(work)
            work.add_done_callback(self._commanding.discard)

    def _show(self, text: str) -> None:
        self._note = text
        self._wake.set()

    def _move(self, by: int) -> None:
        alert_ids = [alert.alert_id for alert in in_order(self._room.desk)]
        if not alert_ids:
            return
        row = alert_ids.index(self._selected) + by if self._selected in alert_ids else 0
        self._selected = alert_ids[min(max(row, 0), len(alert_ids) - 1)]

    def _say(self, saying: Awaitable[None], words: str) -> None:
        if self._sayings is not None:
            self._sayings.create_task(self._see_through(saying, words), name="control-room-saying")

    async def _close(
        self, alert_id: str, outcome: Outcome, cause: str | None = None, revision: int | None = None
    ) -> None:
        await self._room.close_alert(alert_id, outcome, cause, revision=revision)
        alert = self._room.alerts.get(alert_id)
        if self._selected == alert_id and (alert is None or alert.closed):
            self._selected = None  # done with it: on to the most urgent one
            if not all(each.closed for each in self._room.alerts.values()):
                self._moved_on_s = self._clock.now().monotonic_s

    async def _see_through(self, saying: Awaitable[None], words: str) -> None:
        try:
            await saying
        except (LinkDown, PublishRefused, MessageInvalid, AlertUnknown) as error:
            self._note = f"NOT SENT ({words}): {plain(error)}"
        else:
            self._note = words
        self._wake.set()
