from __future__ import annotations

import pytest

from agent.health.proofs import Proofs


def test_the_watchdog_is_fed_once_every_part_has_proved_its_work_anew() -> None:
    fed: list[int] = []
    proofs = Proofs(["pins", "rules"], lambda: fed.append(1))
    proofs.prove("pins")
    proofs.prove("pins")
    assert not fed
    proofs.prove("rules")
    assert len(fed) == 1
    proofs.prove("rules")
    assert len(fed) == 1, "an old proof of the pins must not count twice"
    proofs.prove("pins")
    assert len(fed) == 2


def test_a_misspelt_part_is_refused() -> None:
    with pytest.raises(KeyError):
        Proofs(["pins"], lambda: None).prove("pin")
