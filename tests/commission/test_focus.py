"""How sharp a picture is does not depend on its light."""

from __future__ import annotations

from math import erf, sqrt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.commission.focus import BLURRED_BELOW, focus_score
from agent.config.filming import CameraSettings, MaskSettings
from agent.footage.burn.overlay import drawn_over

if TYPE_CHECKING:
    from numpy.typing import NDArray


def edge(blur_px: float, *, contrast: float = 80.0, noise: float = 3.0) -> NDArray[np.uint8]:
    """One upright edge in a picture, blurred by a lens."""
    across = np.arange(400) - 199.7
    row = np.array([128 + contrast * (erf(x / (blur_px * sqrt(2))) if blur_px else np.sign(x)) for x in across])
    picture = np.tile(row, (200, 1)) + np.random.default_rng(1).normal(0, noise, (200, 400))
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("blur_px", "least", "most"), [(0, 95, 100), (0.5, 48, 60), (1.0, 17, 25), (1.5, 8, 14)])
def test_a_blurred_edge_is_less_sharp(blur_px: float, least: int, most: int) -> None:
    score = focus_score(edge(blur_px))
    assert score is not None
    assert least <= score <= most


def test_light_and_contrast_do_not_change_it() -> None:
    scores = [focus_score(edge(0.5, contrast=contrast)) for contrast in (30, 60, 90)]
    assert all(score is not None for score in scores)
    assert np.ptp([score for score in scores if score is not None]) <= 8


def test_a_lens_that_is_out_of_focus_is_told_from_one_that_is_in_focus() -> None:
    sharp, blurred = focus_score(edge(0.7)), focus_score(edge(2.0))
    assert sharp is not None
    assert blurred is not None
    assert blurred < BLURRED_BELOW < sharp


@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_of_a_bare_wall_nothing_can_be_said(noise: float) -> None:
    assert focus_score(edge(0, contrast=0, noise=noise)) is None


def test_letters_and_masks_that_the_unit_draws_itself_say_nothing_of_the_lens() -> None:
    camera = CameraSettings(enabled=True, width_px=640, height_px=360, masks=(window(),))
    covered = np.full((360, 640), 40, dtype=np.uint8)
    drawn = drawn_over(camera)
    covered[drawn] = np.random.default_rng(1).integers(0, 2, covered[drawn].shape, dtype=np.uint8) * 219 + 16
    assert focus_score(covered) is not None, "as the score would be without knowing"
    assert focus_score(covered, drawn) is None
    scene = np.tile(edge(0.7)[:, :320], (2, 2))[:360]
    seen = focus_score(np.where(drawn, covered, scene), drawn)
    assert seen is not None
    assert seen > BLURRED_BELOW


def test_a_picture_of_another_size_is_not_judged() -> None:
    camera = CameraSettings(enabled=True, width_px=640, height_px=360)
    with pytest.raises(ValueError, match="400 x 200 pixels, the camera 640 x 360"):
        focus_score(edge(0), drawn_over(camera))


def window() -> MaskSettings:
    return MaskSettings(name="window", points=((0.0, 0.0), (0.2, 0.0), (0.2, 0.3)))
