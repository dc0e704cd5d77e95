"""What the camera shows: who can be known at which distance, how sharp it is, and that its masks cover enough."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from agent.commission import papers
from agent.commission.aim import EDITION, LEVELS_PX_PER_M, Aim, AimInvalid
from agent.commission.bench import failed, judged
from agent.commission.focus import BLURRED_BELOW, focus_score
from agent.commission.machine import PictureMissing
from agent.commission.plan import DAY, NIGHT
from agent.durable import put_whole
from agent.footage.burn.overlay import drawn_over

if TYPE_CHECKING:
    from pathlib import Path

    from agent.commission.bench import Bench
    from agent.commission.course import Result, Step
    from agent.commission.machine import Picture

DARK_LUMA: Final = 90.0
"""A picture with more mean brightness than this was not taken by night; street lamps and all are below."""

BLACK_LUMA: Final = 8.0
"""A picture with less mean brightness beside what the unit draws shows nothing, by day or by night: 3 % of white, a
step or two of the noise of a sensor that gets no light."""


async def aim(step: Step, bench: Bench) -> Result:
    """Pixels per metre from two points, and what follows."""
    talk, camera = bench.talk, bench.config.camera
    talk.tell(
        "Stand a pole of known length (or a person) where people will be, and read the pixels of its two ends off"
    )
    picture, file = await _take(bench, "aim")
    if picture is None:
        return failed(str(file))
    talk.tell("Copy this picture, and read the pixels of the two ends off it:")
    talk.tell(str(file), "    ")
    while True:
        one = await talk.ask(f"{step.id}.one", "One end, across,down in pixels?", papers.point)
        other = await talk.ask(f"{step.id}.other", "The other end?", papers.point)
        apart_m = await talk.ask(f"{step.id}.apart", "How many metres are they apart?", papers.metres)
        at_m = await talk.ask(f"{step.id}.at", "How many metres are they from the camera?", papers.metres)
        try:
            found = Aim.measured(
                one, other, apart_m=apart_m, at_m=at_m, width_px=camera.width_px, height_px=camera.height_px
            )
        except AimInvalid as why:
            talk.tell(f"{why}. Once more:")
            continue
        break
    reaches = {level: round(found.reaches_m(level), 1) for level in LEVELS_PX_PER_M}
    for level, metres in reaches.items():
        talk.tell(f"{level:<10} up to {metres:5.1f} m   ({LEVELS_PX_PER_M[level]:g} px/m, {EDITION})")
    talk.tell(
        f"The field of view would be {found.view_deg:.0f} degrees across. If the lens says otherwise, measure again."
    )
    level = await talk.ask(
        f"{step.id}.level",
        f"What is it there to do ({', '.join(LEVELS_PX_PER_M)})?",
        lambda text: papers.choice(text, *LEVELS_PX_PER_M),
    )
    wanted_m = await talk.ask(f"{step.id}.wanted", f"Up to how many metres must it {level}?", papers.metres)
    text = f"{found.px_per_m:.0f} px/m at {at_m:g} m: can {level} up to {reaches[level]:g} m, must up to {wanted_m:g} m"
    return judged(
        found.reaches_m(level) >= wanted_m,
        text,
        edition=EDITION,
        pxPerM=round(found.px_per_m, 1),
        atM=at_m,
        points=[list(one), list(other)],
        apartM=apart_m,
        viewDeg=round(found.view_deg, 1),
        reachesM=reaches,
        level=level,
        wantedM=wanted_m,
    )


async def still(step: Step, bench: Bench) -> Result:
    """One picture, sharp enough, with its masks."""
    talk, when = bench.talk, step.of
    if when == NIGHT:
        talk.tell("While it is light: quit and come back after dark, or skip.")
        await talk.ask(f"{step.id}.dark", "Enter, when it is dark:", str)
    picture, file = await _take(bench, when)
    if picture is None:
        return failed(str(file))
    brightness = float(picture.luma.mean())
    drawn = drawn_over(bench.config.camera)
    try:
        score = focus_score(picture.luma, drawn)
    except ValueError as other_size:
        return failed(f"{other_size}: it was recorded with another configuration; restart the agent")
    masks = [mask.name for mask in bench.config.camera.masks]
    facts = {
        "file": file.name if not isinstance(file, str) else file,
        "sha256": hashlib.sha256(picture.jpeg).hexdigest(),
        "taken": picture.taken,
        "focus": score,
        "meanLuma": round(brightness, 1),
        "masks": masks,
    }
    through = float(picture.luma[~drawn].mean())
    if through < BLACK_LUMA:
        return failed(f"it is black (mean brightness {through:.0f} of 255): is the lens covered?", **facts)
    if when == NIGHT and brightness > DARK_LUMA:
        return failed(f"it is not dark in it (mean brightness {brightness:.0f} of 255)", **facts)
    if when == DAY and (score is None or score < BLURRED_BELOW):
        seen = "nothing sharp enough to judge by" if score is None else f"{score} %, at least {BLURRED_BELOW}"
        return failed(f"it is out of focus ({seen}): uncover the lens, wipe it, or turn it", **facts)
    talk.tell(f"Sharpness {'not to be judged' if score is None else f'{score} %'}. Look at it:")
    talk.tell(str(file), "    ")
    talk.tell(f"Masks in the configuration: {', '.join(masks) or 'none'}.")
    good = await talk.yes(f"{step.id}.good", "Does it show what happens, and is black all that must not be filmed?")
    sharp = "sharpness not to be judged" if score is None else f"sharpness {score} %"
    return judged(good, f"{sharp}, masks: {', '.join(masks) or 'none'}", **facts)


async def _take(bench: Bench, name: str) -> tuple[Picture | None, Path | str]:
    """The newest picture and where it lies; or none, and why."""
    try:
        picture = await bench.measure(bench.machine.picture)
    except PictureMissing as why:
        return None, f"there is no picture: {why}"
    path = bench.session.folder / f"{name}.jpg"
    put_whole(path, picture.jpeg)
    return picture, path
