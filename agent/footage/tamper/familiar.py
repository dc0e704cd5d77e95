"""The view that a camera is meant to have, learned by looking, and how much of it is still there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent.footage.tamper.sight import Edges, in_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.footage.tamper.sight import Plane, View

VISIBLE = 1e-3
"""Energy from which a cell has something of its own to see. Noise alone stays below a third of it on the darkest
street of the corpus (`tests/footage/tamper_street.py`), a usual street has ten times as much."""
MATCHING = 0.3
"""A cell's edges are met again from this correlation on. Edges of another place reach it in one cell of five."""
LEFT_OVER = 0.2
"""And with this share of their strength: through smeared paint all edges match, but hardly any of them is left."""
BLANK = 0.15
"""A lost cell with less of its energy than this shows nothing; with more, it shows something else."""
LONG_S = 120.0
"""Over how long the view is averaged: a parked car belongs to it after minutes, dusk never gets ahead of it."""
LEAST_SHIFT = 0.03
"""Shares of the picture's width: what moved by less still has its edges near their old place."""
REACH = 0.45
"""And what moved by more has too little left in the picture to be found again."""
SHIFT_BELOW = 0.8
"""While more than this is seen where it belongs, nobody turned the camera: the search is saved."""
BETTER = 1.3
"""A shift must fit better by this factor than no shift does."""
TRACE = 0.03
"""Share of the usual energy without which there is nothing left that could be sharp or not."""
CLEARLY = 5.0
"""Detail that noise could feign by a fifth of its strength says nothing about blur."""


@dataclass(frozen=True)
class Likeness:
    """How much of the familiar view is in the present one."""

    seen: float
    """Share of the cells with something to see in which it is still seen."""
    blank: float
    """Share of those cells that show nothing at all."""
    sharpness: float
    """How much of the fine detail is left, measured by the coarse: 1 is all of it."""
    shape: float
    """Correlation of the picture's largest features, which even a thick blur leaves: 1 is the same."""
    lost_luma: float
    """Mean brightness of the cells in which the view is lost; 0 when in none."""
    shift: float
    """By what share of the picture's width all of it moved, if it fits better there; else 0."""


class FamiliarView:
    """An average of what the camera saw while all was well."""

    def __init__(self, view: View) -> None:
        self.age_s = 0.0
        """For how long it has been learned."""
        self._soft = view.soft.copy()
        self._detail = view.detail.copy()
        self._refresh()

    @property
    def cells(self) -> int:
        """In how many cells there is something to see."""
        return int(self._visible.sum())

    def learn(self, view: View, passed_s: float) -> None:
        """Take in a view that all is well with, so long after the one before."""
        self.age_s += passed_s
        share = np.float32(min(1.0, passed_s / min(self.age_s + passed_s, LONG_S)))
        self._soft += share * (view.soft - self._soft)
        self._detail += share * (view.detail - self._detail)
        self._refresh()

    def compare(self, view: View) -> Likeness:
        """How much of this is in the present view. There must be something to see in it, in at least one cell."""
        visible, energy = self._visible, self._energy
        common = view.edges.times(self._edges)
        correlation = np.abs(common) / np.sqrt(np.maximum(view.energy, VISIBLE * BLANK) * energy.clip(VISIBLE))
        seen = (correlation >= MATCHING) & (np.abs(common) >= LEFT_OVER * energy)
        lost = visible & ~seen
        blank = lost & (view.energy < BLANK * energy)
        count = float(visible.sum())
        seen_share = float((visible & seen).sum()) / count
        return Likeness(
            seen=seen_share,
            blank=float(blank.sum()) / count,
            sharpness=self._sharpness_of(view),
            shape=_correlation(in_cells(view.soft), in_cells(self._soft)),
            lost_luma=float(view.luma[lost].mean()) if lost.any() else 0.0,
            shift=self._shift_of(view) if seen_share < SHIFT_BELOW else 0.0,
        )

    def _refresh(self) -> None:
        self._edges = Edges.of(self._soft)
        self._energy = self._edges.times(self._edges)
        self._visible: NDArray[np.bool_] = self._energy >= VISIBLE

    def _sharpness_of(self, view: View) -> float:
        """Fine detail over coarse, now and then, of the whole picture; 1 where noise hides which it is."""
        visible = self._visible
        weight = 1 / np.maximum(self._energy, np.median(self._energy[visible]))  # or a single lit sign would decide
        fine, coarse, usual_fine, usual_coarse, doubt = (
            float((part * weight)[visible].sum())
            for part in (view.detail, view.energy, self._detail, self._energy, view.detail_noise)
        )
        if coarse < TRACE * usual_coarse or usual_fine * coarse <= CLEARLY * doubt * usual_coarse:
            return 1.0
        return (fine / usual_fine) / (coarse / usual_coarse)

    def _shift_of(self, view: View) -> float:
        """Where the view would fit best, by phase correlation; 0 where it fits as it is."""
        now, then = (_windowed(soft) for soft in (view.soft, self._soft))
        cross = np.fft.rfft2(now) * np.conj(np.fft.rfft2(then))
        fit = np.fft.irfft2(cross / np.sqrt(np.abs(cross) + 1e-9), now.shape)
        rows, columns = now.shape
        down, across = np.meshgrid(np.fft.fftfreq(rows) * rows, np.fft.fftfreq(columns) * columns, indexing="ij")
        far = np.hypot(down, across) / columns
        elsewhere = np.where((far >= LEAST_SHIFT) & (far <= REACH), fit, -np.inf)
        best = int(np.argmax(elsewhere))
        here = float(fit[far < LEAST_SHIFT].max())
        return float(far.flat[best]) if elsewhere.flat[best] > BETTER * max(here, 0.0) else 0.0


def _correlation(one: Plane, other: Plane) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


def _windowed(soft: Plane) -> Plane:
    """Without its rim, which would be an edge of its own."""
    rows, columns = soft.shape
    window = np.hanning(rows)[:, None] * np.hanning(columns)[None, :]
    windowed: Plane = (soft - soft.mean()) * window.astype(np.float32)
    return windowed
