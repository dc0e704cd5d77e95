"""The configuration cannot be used, or `safepoint check` refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.doctor.finding import Finding, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.problems import Problem
    from agent.doctor.facts import Facts

CERTIFICATES = {"uplink.ca_file", "uplink.cert_file", "uplink.key_file"}
"""Judged by `certificate`, which knows the one in use when that is not the one of the configuration any more."""


def find(facts: Facts) -> Iterator[Finding]:
    """Each problem by itself; without a configuration the daemon does not start."""
    configuration = facts.configuration
    if configuration is None:
        return
    for problem in configuration.problems:
        if facts.certificate is not None and problem.key in CERTIFICATES:
            continue
        if facts.broken_models is not None and problem.key in {model.key for model in facts.broken_models}:
            continue  # told by `voice_model`
        if configuration.config is None:
            then = "then run: sudo systemctl restart safepoint-agent"
            yield Finding(Weight.DOWN, _what(problem), f"{_how(problem)}, {then}")
        else:
            then = "then run: sudo systemctl reload safepoint-agent"
            weight = Weight.NO_CALL if problem.key.startswith("uplink") else Weight.PART_LOST
            yield Finding(weight, _what(problem), f"{_how(problem)}, {then}")


def _what(problem: Problem) -> str:
    return f"{problem.key or problem.file}: {problem.message}"


def _how(problem: Problem) -> str:
    place = problem.file if problem.line is None else f"line {problem.line} of {problem.file}"
    return f"Put right {place} and look at it with: safepoint check {problem.file}"
