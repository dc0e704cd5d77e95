"""The picture: misses over false activations per hour, a curve for each engine.

Of the phrases that count once: what the unit wants to hear twice, others take at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

from tests.voice_bench.engines import NAIVE, OURS, OURS_OPEN, SPHINX
from tests.voice_bench.figures import SPHINX_AIM, contenders, curve, only
from tests.voice_bench.phrase_sets import SHIPPED, phrase_set
from tests.voice_bench.plans import CURVE_CONDITION
from tests.voice_bench.report import VOICES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.voice_bench.runs import Run

CURVES = {
    SPHINX: (SPHINX, "tab:blue", "PocketSphinx, by threshold"),
    NAIVE: (NAIVE, "tab:orange", "naive Vosk, by confidence"),
    OURS: (OURS_OPEN, "tab:green", "ours, by confidence"),
}
AIM_PER_HOUR, AIM_MISSED = 0.1, 0.03


def draw(runs: Sequence[Run], path: Path) -> None:
    """Draw it as PNG."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - it looks for a display as soon as it comes

    once = phrase_set(SHIPPED).once
    of_set = [only(run, once) for run in runs if run.phrases == SHIPPED]
    shown = {voices: title for voices, title in VOICES.items() if any(run.voices == voices for run in of_set)}
    figure, panels = plt.subplots(1, len(shown), squeeze=False, figsize=(11, 4.8), sharey=True, constrained_layout=True)
    for panel, (voices, title) in zip(panels[0], shown.items(), strict=True):
        for number, (engine, (played, colour, name)) in enumerate(CURVES.items()):
            if not any(run.engine in {engine, played} for run in of_set):
                continue
            of_engine = [run for run in of_set if run.engine == played]
            points = curve(of_engine, CURVE_CONDITION.name, voices) if of_engine else []
            # Widest first: curves that lie on each other all show.
            width = 1.5 * (len(CURVES) - number)
            panel.plot(*_percent(points), color=colour, label=name, drawstyle="steps-post", linewidth=width, alpha=0.8)
            for who in contenders(of_set, SHIPPED):
                share, rate = who.recall(CURVE_CONDITION.name, voices), who.false()
                if who.engine == engine and share.whole and rate.hours:
                    here = [(rate.events / rate.hours, 1 - share.part / share.whole)]
                    mark = "s" if who.title == SPHINX_AIM else "o"
                    panel.plot(*_percent(here), mark, color=colour, markersize=9, fillstyle="none", label=who.title)
        panel.plot([0, AIM_PER_HOUR], [100 * AIM_MISSED] * 2, ":", color="grey", label="aim")
        panel.plot([AIM_PER_HOUR] * 2, [0, 100 * AIM_MISSED], ":", color="grey")
        # Straight up to the aim, where a rate of none has its place; logarithmic beyond.
        panel.set_xscale("symlog", linthresh=AIM_PER_HOUR)
        panel.set_yscale("symlog", linthresh=1)
        panel.set(xlim=(-0.02, None), ylim=(-0.1, 100), title=title, xlabel="false activations per hour of talk")
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel(f"calls missed at {CURVE_CONDITION.name}, %")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _percent(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [rate for rate, _ in points], [100 * missed for _, missed in points]
