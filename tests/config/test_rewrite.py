"""Values are changed in a unit's file without touching anything that a person wrote beside them."""

from __future__ import annotations

import pytest
import yaml

from agent.config.rewrite import NotRewritable, with_values

BLOCK = """\
# ours
unit:
  id: hk-1  # never changes
  name: >
    Central
    Walk

  location: 'opposite: Boots'   # since 2025
camera: {fps: 15}
"""


def test_only_the_value_changes() -> None:
    text = with_values(BLOCK, "unit", {"location": 'at "B" # 2'})
    assert text == BLOCK.replace("'opposite: Boots'", '"at \\"B\\" # 2"')
    assert yaml.safe_load(text)["unit"]["location"] == 'at "B" # 2'


def test_a_folded_text_is_replaced_as_a_whole() -> None:
    read = yaml.safe_load(text := with_values(BLOCK, "unit", {"name": "Market"}))
    assert read["unit"] == {"id": "hk-1", "name": "Market", "location": "opposite: Boots"}
    assert "# since 2025" in text


@pytest.mark.parametrize(("section", "before"), [("unit", BLOCK), ("camera", BLOCK), ("footage", BLOCK)])
def test_a_value_that_is_not_there_is_added(section: str, before: str) -> None:
    read = yaml.safe_load(with_values(before, section, {"folder": "/é", "limit": 1.5}))
    expected = yaml.safe_load(before)
    expected.setdefault(section, {}).update(folder="/é", limit=1.5)
    assert read == expected


@pytest.mark.parametrize("text", ["", "- a\n", "{unit: {name: a}}\n", "unit:\n", "unit: text\n"])
def test_what_is_no_unit_s_file_is_refused(text: str) -> None:
    with pytest.raises(NotRewritable):
        with_values(text, "unit", {"name": "b"})
