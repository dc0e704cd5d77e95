"""Whether somebody or something has disabled the camera: judged from small pictures and from time alone.

What cannot be told from pictures, and is not tried:

* A street that goes black within seconds, when its last lamp is switched off, from a black bag: both are `dark`. As
  long as a tenth of an edge is left of the street, it is not reported; when dusk takes it, slowly, it is not either.
* A lens that is covered so slowly, or a camera turned so slowly, that it takes minutes: it is learned like dusk.
  Blank and not dark is `covered` however long it took.
* On a street too dark to show `LEAST_CELLS` of its own, whether anything is before the lens.
* A light blur (under 3 % of the picture's width) of a street that is hardly lit: noise hides whether detail is there.
* Whatever was done before the recorder began, except that nothing at all can be seen: the view is learned anew.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from agent.footage.tamper.familiar import VISIBLE, FamiliarView
from agent.footage.tamper.sight import Sight
from agent.helpers.messages import TamperOver, TamperSeen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.footage.tamper.familiar import Likeness
    from agent.footage.tamper.sight import View
    from agent.hw.kit import LoresFrame


class Tamper(StrEnum):
    """How a camera is disabled. Two that look alike (a black bag, and no light at all) are one."""

    COVERED = "covered"
    """Something hangs before the lens, or most of it is painted over."""
    BLURRED = "blurred"
    """Sprayed, smeared or out of focus."""
    DARK = "dark"
    """Nothing but black: tightly covered, or all light is gone at once."""
    BRIGHT = "bright"
    """Blinded."""
    MOVED = "moved"
    """It shows another view than the one it was mounted for, or something big was put before it."""
    FROZEN = "frozen"
    """It repeats one picture. Real pictures never do: each has noise of its own."""
    SIGNAL_LOST = "signal-lost"
    """It gives no pictures."""


LOOK_EVERY_S = 0.5
"""Two looks a second: the statistics take 1 to 2 ms each, and a person before the lens moves between them."""
PERSISTS_S = 16.5
"""A bus, a van or a person may fill the picture for 15 s; with the 2 s that a view takes to change, a tamper is told
19 s after it began (20 s is the goal, standards.md goal 9)."""
FROZEN_AFTER_S = 10.0
NO_SIGNAL_AFTER_S = 10.0
"""Opening a camera again takes 2 s to notice and some seconds to do: a restart of its pipeline is no tamper."""
FORGIVEN_S = 2.0
"""The view may be back for so long without ending a suspicion: a second between the fingers, and the second for which
an average of pictures still shows it."""
RESTORED_AFTER_S = 4.0
"""The view must be back for so long: who wipes a lens wipes it more than once."""
LEARNED_AFTER_S = 20.0
"""A first view counts when it stood for so long: longer than a bus stops before it."""
ACCEPTED_AFTER_S = 600.0
"""A steady new view is the camera's own from then on. Nobody may ever turn it back, and until it is accepted no other
tamper can be told; the operator was told and looks, whatever the unit does."""
RESUMED_AFTER_S = 3.0
"""Pictures, or looks, further apart than this do not belong to one view."""
LOST_BELOW = 0.5
"""Share of the view that must be seen. Paint over 70 % leaves 0.2 to 0.4, another view 0.1 to 0.5 (edges of one street
resemble those of another); from day to the darkest night 0.7 is still there, in fog or behind a half-wide bus, too."""
BACK_FROM = 0.6
"""The share with which it is back: not at the edge of being lost again."""
SHIFTED_BELOW = 0.7
"""A whole picture that fits elsewhere and has lost this much where it was is moved: long lines meet themselves."""
BLURRED_BELOW = 0.2
"""Share of the fine detail. A blur of 0.6 % of the picture's width leaves 0.05; a mast in the wind 0.45, and street
lamps that go on or off 0.35."""
SHAPED_FROM = 0.8
"""A lost view with its large features in place is one behind a blur."""
SOME = 0.25
"""Share of the view from which a shift is believed of a picture that is half blank: long lines meet themselves in a
moved one, and nothing does in the noise behind a bag."""
DARK_LUMA, BRIGHT_LUMA = 30.0, 200.0
"""A picture without anything in it is black below and white above these; video goes from 16 to 235."""
LEAST_CELLS = 12
"""A view with fewer cells in which there is something to see (of 144) is none: their loss would say nothing."""
NOTHING_IN = 0.9
"""A picture in which so many cells show nothing shows nothing. A wall of fog still has a ground."""
FLAT_LUMA = 12
"""A picture whose brightest pixel is so near its darkest says nothing when it is repeated: black has no noise."""


@dataclass
class _Suspicion:
    """Something is wrong, but not yet for long enough."""

    since_s: float
    wrong_s: float
    """When it was last to be seen."""
    kinds: Counter[Tamper] = field(default_factory=Counter)


class TamperWatch:
    """Looks at one picture after another and says when a tamper begins and when it is over; at most one stands."""

    def __init__(self) -> None:
        self._sight = Sight()
        self._familiar: FamiliarView | None = None
        self._candidate: FamiliarView | None = None
        """A view that may become the familiar one."""
        self._suspicion: _Suspicion | None = None
        self._stands: Tamper | None = None
        self._back_since_s: float | None = None
        """Since when the picture has been as it should be, while a tamper stands."""
        self._looked_s: float | None = None
        self._alive_s = 0.0
        """When the camera last gave a picture, or when we began to look for one."""
        self._taken_s: float | None = None
        self._luma: NDArray[np.uint8] | None = None
        self._repeats_since_s = 0.0
        self._told = False
        """Whether the daemon was told anything: what stands there may be of an earlier process."""

    @property
    def stands(self) -> Tamper | None:
        """The tamper that was told and is not over."""
        return self._stands

    def look(self, frame: LoresFrame | None, now_s: float) -> TamperSeen | TamperOver | None:
        """Look at the camera's newest picture.

        Call it each `LOOK_EVERY_S`, whether there is a new picture or not. The first view that is learned is told as a
        `TamperOver`: what an earlier process told is so over, if it is.

        Args:
            frame: The newest picture, which may be the same as the last time; None before the first one.
            now_s: The present moment, on the clock of `frame.taken_s`.
        """
        if self._looked_s is None or now_s - self._looked_s > RESUMED_AFTER_S:
            self._alive_s = now_s  # it is we who were away
            self._suspicion = None
        self._looked_s = now_s
        if frame is None or frame.taken_s == self._taken_s:
            return self._without_picture(now_s)
        passed_s = 0.0 if self._taken_s is None else frame.taken_s - self._taken_s
        if self._taken_s is None or not 0 < passed_s <= RESUMED_AFTER_S:
            self._resume(frame)
            passed_s = 0.0
        self._taken_s, self._alive_s = frame.taken_s, now_s
        return self._with_picture(frame, passed_s)

    def _without_picture(self, now_s: float) -> TamperSeen | None:
        if self._stands is not None or now_s - self._alive_s < NO_SIGNAL_AFTER_S:
            return None
        return self._begin(Tamper.SIGNAL_LOST, self._alive_s, {"silent_s": round(now_s - self._alive_s, 1)})

    def _resume(self, frame: LoresFrame) -> None:
        """Pictures come (again): what was seen before has no part in what is seen now."""
        self._sight.forget()
        self._suspicion = None
        self._back_since_s = None
        self._luma = None
        self._repeats_since_s = frame.taken_s

    def _with_picture(self, frame: LoresFrame, passed_s: float) -> TamperSeen | TamperOver | None:
        if self._repeats(frame):
            return self._repeated(frame.taken_s)
        if self._stands in (Tamper.FROZEN, Tamper.SIGNAL_LOST):
            return self._back(frame.taken_s)  # that is all it was; whatever else is wrong is a tamper of its own
        view = self._sight.see(frame.luma)
        return None if view is None else self._with_view(view, frame.taken_s, passed_s)

    def _with_view(self, view: View, at_s: float, passed_s: float) -> TamperSeen | TamperOver | None:
        kind, scores = self._judge(view)
        if self._stands is None:
            return self._relax(view, passed_s, at_s) if kind is None else self._suspect(kind, at_s, scores)
        if kind is None:
            return self._back(at_s)
        self._back_since_s = None
        return self._grow_used_to(view, passed_s, at_s) if kind is Tamper.MOVED else None

    # --- one picture ---------------------------------------------------------------------------------------------

    def _repeats(self, frame: LoresFrame) -> bool:
        """Whether this is the last picture again, and not just black."""
        same = self._luma is not None and np.array_equal(frame.luma, self._luma) and _contrast(frame) > FLAT_LUMA
        self._luma = frame.luma
        if not same:
            self._repeats_since_s = frame.taken_s
        return same

    def _judge(self, view: View) -> tuple[Tamper | None, dict[str, float]]:
        """What is wrong with the present view, and what was measured."""
        luma = float(view.luma.mean())
        if self._familiar is None or self._familiar.cells < LEAST_CELLS:
            nothing = float((view.energy < VISIBLE).mean())
            kind = _blank_kind(luma) if nothing >= NOTHING_IN else None
            if kind is Tamper.DARK and self._familiar is not None:
                kind = None  # it was seen to grow dark, and there was no moment at which it was covered
            return kind, {"blank_share": round(nothing, 2), "mean_luma": round(luma, 1)}
        likeness = self._familiar.compare(view)
        scores = {
            "seen_share": likeness.seen,
            "blank_share": likeness.blank,
            "sharpness_share": likeness.sharpness,
            "shift_share": likeness.shift,
        }
        kind = _kind_of(likeness, BACK_FROM if self._stands else LOST_BELOW)
        return kind, {name: round(score, 2) for name, score in scores.items()} | {"mean_luma": round(luma, 1)}

    # --- one after the other -------------------------------------------------------------------------------------

    def _repeated(self, at_s: float) -> TamperSeen | None:
        self._back_since_s = None
        if self._stands is not None or at_s - self._repeats_since_s < FROZEN_AFTER_S:
            return None
        return self._begin(Tamper.FROZEN, self._repeats_since_s, {"still_s": round(at_s - self._repeats_since_s, 1)})

    def _suspect(self, kind: Tamper, at_s: float, scores: dict[str, float]) -> TamperSeen | None:
        """The picture is not as it should be; for long enough, that is a tamper."""
        suspicion = self._suspicion = self._suspicion or _Suspicion(at_s, at_s)
        suspicion.wrong_s = at_s
        suspicion.kinds[kind] += 1
        if at_s - suspicion.since_s < PERSISTS_S:
            return None
        (mostly, _), *_ = suspicion.kinds.most_common(1)
        return self._begin(mostly, suspicion.since_s, scores)

    def _relax(self, view: View, passed_s: float, at_s: float) -> TamperOver | None:
        """The picture is as it should be, and no tamper stands."""
        if self._suspicion is not None:
            if at_s - self._suspicion.wrong_s > FORGIVEN_S:
                self._suspicion = None
            return None
        if self._familiar is not None:
            self._familiar.learn(view, passed_s)
            return None
        self._compare_with_candidate(view, passed_s)
        return self._accept(LEARNED_AFTER_S, at_s)

    def _grow_used_to(self, view: View, passed_s: float, at_s: float) -> TamperOver | None:
        """Another view is there, and a tamper stands: in the end it is the one that is watched."""
        self._compare_with_candidate(view, passed_s)
        return self._accept(ACCEPTED_AFTER_S, at_s)

    def _compare_with_candidate(self, view: View, passed_s: float) -> None:
        candidate = self._candidate
        strange = candidate is not None and candidate.cells >= LEAST_CELLS and candidate.compare(view).seen < LOST_BELOW
        if candidate is None or strange:
            self._candidate = FamiliarView(view)
        else:
            candidate.learn(view, passed_s)

    def _accept(self, after_s: float, at_s: float) -> TamperOver | None:
        if self._candidate is None or self._candidate.age_s < after_s:
            return None
        self._familiar = self._candidate
        if self._stands is None and self._told:
            self._candidate = None
            return None
        return self._end(at_s)

    def _back(self, at_s: float) -> TamperOver | None:
        """A tamper stands, and the picture is as it should be."""
        if self._back_since_s is None:
            self._back_since_s = at_s
        return self._end(self._back_since_s) if at_s - self._back_since_s >= RESTORED_AFTER_S else None

    def _begin(self, kind: Tamper, seen_s: float, scores: dict[str, float]) -> TamperSeen:
        self._stands, self._told = kind, True
        self._suspicion = self._candidate = self._back_since_s = None
        return TamperSeen(kind.value, seen_s, scores)

    def _end(self, over_s: float) -> TamperOver:
        self._stands, self._told = None, True
        self._suspicion = self._candidate = self._back_since_s = None
        self._sight.forget()
        return TamperOver(over_s)


def _contrast(frame: LoresFrame) -> int:
    return int(frame.luma.max()) - int(frame.luma.min())


def _blank_kind(luma: float) -> Tamper:
    """What a picture without anything in it is."""
    if luma < DARK_LUMA:
        return Tamper.DARK
    return Tamper.BRIGHT if luma > BRIGHT_LUMA else Tamper.COVERED


def _kind_of(likeness: Likeness, least_seen: float) -> Tamper | None:
    """What is wrong with a view of which so much is still there."""
    lost = 1 - likeness.seen
    if likeness.seen >= least_seen:
        if likeness.sharpness < BLURRED_BELOW:
            return Tamper.BLURRED
        return Tamper.MOVED if likeness.shift and likeness.seen < SHIFTED_BELOW else None
    if likeness.shape >= SHAPED_FROM and (likeness.sharpness < BLURRED_BELOW or likeness.blank > lost / 2):
        return Tamper.BLURRED
    if likeness.blank <= lost / 2 or (likeness.shift and likeness.seen >= SOME):
        return Tamper.MOVED
    kind = _blank_kind(likeness.lost_luma)
    # black in a part of the picture is paint, not darkness
    return Tamper.COVERED if kind is Tamper.DARK and likeness.seen > 1 - NOTHING_IN else kind
