"""Commands about the unit itself: what it is configured to be, how its parts are, and a helper's restart."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import agent
from agent.commands.carrying import NotTaken
from agent.helpers.owner import HelperState
from agent.signals import Answer, AnswerCommand, CommandName, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.commands.carrying import Answering, Handlers
    from agent.config.settings import Config
    from agent.helpers.owner import Helper
    from agent.signals import Command
    from agent.voice.self_test import Result

_SPOKEN = frozenset({"say", "decoys"})
"""What people say: a duress phrase is worth nothing once it is known, and no phrase is ever sent (design rule 4)."""


class Parts:
    """The parts as commands see them. `look` each second; `tested` when the unit has spoken to itself."""

    def __init__(
        self,
        config: Config,
        helpers: Mapping[str, Helper],
        *,
        want_self_test: Callable[[], None] | None,
        facts: Callable[[], Mapping[str, Any]],
        answer: Answering,
    ) -> None:
        """Parts that nobody asked about.

        Args:
            config: What the unit is.
            helpers: Its helper processes by name.
            want_self_test: Has the unit speak to itself; None where it cannot.
            facts: How the unit is, as the heartbeat says it.
            answer: Takes what comes of a command.
        """
        self._config = config
        self._helpers = helpers
        self._want_self_test = want_self_test
        self._facts = facts
        self._answer = answer
        self._testing: list[str] = []
        self._restarting: dict[str, tuple[Helper, int]] = {}
        """Commands that wait for a helper, and how often that had been started when they came."""

    def handlers(self) -> Handlers:
        """What this family carries out."""
        return {
            CommandName.CONFIG_REPORT: self._config_report,
            CommandName.SELF_TEST: self._self_test,
            CommandName.RESTART_PART: self._restart_part,
        }

    def tested(self, result: Result) -> None:
        """The unit spoke, and heard itself or did not."""
        waiting, self._testing = self._testing, []
        for ref in waiting:
            self._report(ref, {"heard": result.heard, "attempts": result.attempts, "levelDbfs": result.level_dbfs})

    def look(self) -> None:
        """See which helpers are back."""
        for ref, (helper, before) in [*self._restarting.items()]:
            if helper.starts > before and helper.state is HelperState.WORKING:
                del self._restarting[ref]
                text = f"the {helper.name} works again"
                self._answer(AnswerCommand(ref, Answer.DONE, text=text, result={"starts": helper.starts}))

    def given_up(self, ref: str) -> None:
        """Nobody waits for this command any more."""
        self._restarting.pop(ref, None)
        if ref in self._testing:
            self._testing.remove(ref)

    def _config_report(self, command: Command) -> None:
        whole = self._config.model_dump(mode="json")
        digest = hashlib.sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        result = {"sw": agent.__version__, "sha256": digest, "configuration": without_words(whole)}
        self._answer(AnswerCommand(command.ref, Answer.DONE, text=f"profile {self._config.profile}", result=result))

    def _self_test(self, command: Command) -> None:
        if self._want_self_test is None:
            self._report(command.ref, {})
            return
        self._testing.append(command.ref)
        self._answer(
            AnswerCommand(command.ref, Answer.RUNNING, text="the unit speaks as soon as nothing is against it")
        )
        self._want_self_test()

    def _report(self, ref: str, acoustic: Mapping[str, Any]) -> None:
        """How the parts are, and what the unit heard of itself where it speaks."""
        facts = self._facts()
        deaf = acoustic and not acoustic["heard"]
        works = "the unit did not hear itself" if deaf else f"the unit is {facts['state']}"
        result = {name: facts[name] for name in ("state", "faults", "outbox", "helpers") if name in facts}
        self._answer(AnswerCommand(ref, Answer.DONE, text=works, result=result | dict(acoustic)))

    def _restart_part(self, command: Command) -> None:
        name = command.args["part"]
        helper = self._helpers.get(name)
        if helper is None:
            there = ", ".join(sorted(self._helpers)) or "none"
            raise NotTaken(Why.UNAVAILABLE, f"this unit has no {name}; its helpers: {there}")
        self._restarting[command.ref] = helper, helper.starts
        self._answer(AnswerCommand(command.ref, Answer.RUNNING, text=f"the {name} is being restarted"))
        helper.restart(command.by)


def without_words(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The configuration without what people say."""
    if isinstance(value, dict):
        return {name: without_words(inner) for name, inner in value.items() if name not in _SPOKEN}
    return [without_words(inner) for inner in value] if isinstance(value, list) else value
