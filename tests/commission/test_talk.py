"""The dialogue: plain lines of 80 columns, and a way out at every question."""

from __future__ import annotations

import pytest

from agent.commission import papers
from agent.commission.talk import Left, SkipWanted, Talk


class Typist:
    """Types these lines, and then is gone."""

    def __init__(self, *typed: str) -> None:
        self._typed = list(typed)
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)

    async def read(self) -> str | None:
        return self._typed.pop(0) if self._typed else None


async def test_a_question_is_asked_until_the_answer_can_be_so() -> None:
    typist = Typist("NP 1234", "", "NP1234")
    assert await Talk(typist, {}).ask("urn.number", "The number?", papers.urn) == "NP1234"
    assert any("no spaces" in line for line in typist.lines)


async def test_what_the_answers_file_says_is_shown_and_not_asked() -> None:
    typist = Typist()
    assert await Talk(typist, {"urn.number": "NP1234"}).ask("urn.number", "The number?", papers.urn) == "NP1234"
    assert typist.lines == ["? The number?", "> NP1234"]


async def test_what_the_answers_file_has_wrong_is_asked() -> None:
    typist = Typist("NP1234")
    assert await Talk(typist, {"urn.number": "NP 1"}).ask("urn.number", "The number?", papers.urn) == "NP1234"
    assert any("answers file is wrong here" in line for line in typist.lines)


@pytest.mark.parametrize("typed", [("quit",), ("QUIT ",), ()])
async def test_who_quits_or_is_cut_off_has_left(typed: tuple[str, ...]) -> None:
    with pytest.raises(Left):
        await Talk(Typist(*typed), {}).ask("urn.number", "The number?", papers.urn)


async def test_a_step_is_skipped_for_a_reason_and_only_where_that_is_allowed() -> None:
    talk = Talk(Typist("skip", "", "no", "the police gave none"), {})
    talk.skippable = True
    with pytest.raises(SkipWanted, match="the police gave none"):
        await talk.ask("urn.number", "The number?", papers.urn)
    typist = Typist("skip", "quit")
    with pytest.raises(Left):
        await Talk(typist, {}).ask("aim.apart", "How far?", papers.metres)
    assert any("in metres" in line for line in typist.lines)


async def test_an_answers_file_skips_with_its_reason() -> None:
    talk = Talk(Typist(), {"urn.number": "skip: the police gave none"})
    talk.skippable = True
    with pytest.raises(SkipWanted, match="the police gave none"):
        await talk.ask("urn.number", "The number?", papers.urn)


@pytest.mark.parametrize("text", ["word " * 60, "x" * 500, "/var/lib/safepoint/" * 20])
def test_no_line_is_longer_than_a_terminal(text: str) -> None:
    typist = Typist()
    Talk(typist, {}).tell(text)
    assert max(map(len, typist.lines)) < 80
