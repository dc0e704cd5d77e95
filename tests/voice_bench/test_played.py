"""A voice bench that was stopped goes on where it was, unless something that it depends on has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.voice_bench import plans, played
from tests.voice_bench.hits import Hit
from tests.voice_bench.phrase_sets import SHIPPED
from tests.voice_bench.runs import Run
from tests.voice_bench.tape import Call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.voice_bench.played import Job

JOBS = [(plans.TalkTape(plans.MUSIC, "", (), 300.0, seed, (SHIPPED,), shared=False), ("ours",)) for seed in range(4)]


def a_play(job: Job) -> list[Run]:
    """What is heard tells which tape it was."""
    plan, (engine,) = job
    assert isinstance(plan, plans.TalkTape)
    call = Call("help", "somebody", 1.0, 2.0)
    hit = Hit("help", plan.seed + 0.1, plan.seed + 0.4, 0.95)
    return [Run(engine, "shipped", plan.kind, "", "", "", (call,), (hit,), plan.length_s, 12.5, plan.shared)]


def a_play_that_fails(job: Job) -> list[Run]:
    assert isinstance(job[0], plans.TalkTape)
    msg = f"{job[0].kind} was played once more"
    raise AssertionError(msg)


@pytest.fixture(autouse=True)
def nothing_was_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(played, "HERE", tmp_path / "played")


def test_what_was_played_is_not_played_again() -> None:
    first = [run for of in played.play_all(JOBS[:2], a_play, 1) for run in of]
    assert {run.hits[0].ended_s for run in first} == {0.1, 1.1}
    assert [run for of in played.play_all(JOBS[:2], a_play_that_fails, 1) for run in of] == first
    whole = [run for of in played.play_all(JOBS, a_play, 2) for run in of]
    assert len(whole) == 4
    assert whole[:2] == first


def test_of_a_bench_that_fails_halfway_what_was_heard_is_kept() -> None:
    list(played.play_all(JOBS[:1], a_play, 1))
    told = played.play_all(JOBS[:2], a_play_that_fails, 1)
    assert len(next(told)) == 1
    with pytest.raises(AssertionError, match="once more"):
        next(told)
    assert [played.kept(job).exists() for job in JOBS[:2]] == [True, False]


def test_another_tape_or_another_engine_is_heard_anew() -> None:
    (plan, _), other = JOBS[:2]
    assert len({played.kept(job) for job in (JOBS[0], other, (plan, ("naive",)))}) == 3


@pytest.mark.parametrize("depends_on", ["agent/voice/listener.py", "provisioning/voice-model/phrases.txt"])
def test_after_any_change_of_what_a_run_depends_on_every_tape_is_heard_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depends_on: str
) -> None:
    (tmp_path / depends_on).parent.mkdir(parents=True)
    monkeypatch.setattr(played, "_ROOT", tmp_path)
    found = []
    for text in ("a", "b", "a"):
        (tmp_path / depends_on).write_text(text)
        played._everything.cache_clear()
        found.append(played.kept(JOBS[0]))
    played._everything.cache_clear()
    assert found[0] == found[2] != found[1]
