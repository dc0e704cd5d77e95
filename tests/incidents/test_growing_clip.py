"""However an event goes on: its last clip shows all of it up to the cap, none is shorter than the one before."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.filming import FootageSettings
from agent.signals import CutClip, Media, MediaFailed, MediaReady, Tell
from tests.incidents.driven_unit import Unit, config, of

PRE_S, POST_S, CAP_S = 10.0, 30.0, 300.0
KEY_FRAME_S = 0.5
"""A clip begins a little early, at a key frame."""


@dataclass
class CuttingRoom:
    """A recorder that takes its time, and that loses what it was asked for when the unit restarts."""

    unit: Unit
    cut_s: float
    fails: list[bool]
    """Whether it fails, one cut after the other; after these it never does."""
    order: CutClip | None = None
    due_s: float = 0.0
    ordered_s: list[float] = field(default_factory=list)
    """When it was asked, but for what it was asked again."""
    made: list[CutClip] = field(default_factory=list)
    _seen: int = 0

    def run(self, until_s: float) -> None:
        """Let time pass, and answer in it."""
        while True:
            self._look()
            rules_s = self.unit.incidents.due()
            next_s = min(
                self.due_s if self.order else until_s + 1,
                until_s + 1 if rules_s is None else rules_s - self.unit.start.monotonic_s,
            )
            if next_s > until_s:
                break
            self.unit.wait(next_s)
            if self.order and self.due_s <= next_s:
                self._answer(self.order, next_s)
        self.unit.wait(until_s)
        self._look()

    def restart(self, at_s: float) -> None:
        """The unit and this room with it."""
        self.order = None
        self._seen = len(self.unit.done)
        self.unit.restart(at_s)
        self._look(again=True)

    def _look(self, *, again: bool = False) -> None:
        for order in of(CutClip, self.unit.done[self._seen :]):
            assert self.order is None, "asked for two clips at a time"
            now_s = self.unit.now.monotonic_s - self.unit.start.monotonic_s
            end_s = order.end.monotonic_s - self.unit.start.monotonic_s
            self.order, self.due_s = order, max(now_s, end_s) + self.cut_s
            if not again:
                self.ordered_s.append(now_s)
        self._seen = len(self.unit.done)

    def _answer(self, order: CutClip, at_s: float) -> None:
        self.order = None
        at = self.unit.at(at_s)
        if self.fails and self.fails.pop(0):
            self.unit.hear(MediaFailed(order.alert_id, Media.CLIP, "the disk is full", at))
            return
        self.made.append(order)
        name = f"clip-{len(self.made)}"
        first = order.start.later(-KEY_FRAME_S)
        self.unit.hear(MediaReady(order.alert_id, Media.CLIP, at, "clip.mp4", name, 9, first, order.end))


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([0.0, 0.4, 1.0, 5.0, 29.0, 30.0, 31.0, 60.0, 200.0]), st.sampled_from("tttr")),
        max_size=25,
    ),
    cut_s=st.sampled_from([0.1, 5.0, 45.0]),
    fails=st.lists(st.booleans(), max_size=3),
)
def test_the_last_clip_shows_the_whole_event_up_to_the_cap(
    steps: list[tuple[float, str]], cut_s: float, fails: list[bool]
) -> None:
    footage = FootageSettings(pre_event_s=PRE_S, post_event_s=POST_S, clip_cap_s=CAP_S)
    unit = Unit(config(footage=footage))
    room = CuttingRoom(unit, cut_s, fails)
    now_s = last_s = 0.0
    unit.open_door(0)
    for wait_s, what in steps:
        now_s += wait_s
        room.run(now_s)
        if what == "r":
            room.restart(now_s)
        unit.open_door(now_s)  # after a restart too: the unit reads its inputs, and the door is open
        last_s = now_s
    room.run(now_s + 1000)
    failed_last = not room.made or of(CutClip, unit.done)[-1] != room.made[-1]

    clip = of(Tell, unit.done)[-1].data["evidence"]["clip"]
    wanted_s = min(last_s + POST_S, CAP_S - PRE_S)
    if not failed_last:
        assert (clip["status"], clip["sha256"]) == ("ready", f"clip-{len(room.made)}")
        assert room.made[-1].start <= unit.at(-PRE_S)
        assert room.made[-1].end >= unit.at(wanted_s)
    else:
        assert clip["reason"] == "the disk is full"
        assert clip["status"] == ("ready" if room.made else "failed")
    assert clip["capped"] == (last_s + POST_S > CAP_S - PRE_S)
    assert clip["status"] != "pending"
    for shorter, longer in pairwise(room.made):
        assert (longer.start, longer.end >= shorter.end) == (shorter.start, True)
    uncapped = [at_s for at_s in room.ordered_s if at_s < CAP_S - PRE_S]
    assert all(later_s - earlier_s > POST_S - 1e-6 for earlier_s, later_s in pairwise(uncapped)), "no storm of cuts"
