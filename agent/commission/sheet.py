"""The printable sheet of a result: one HTML file for A4, with its pictures in it, and nothing that it loads."""

from __future__ import annotations

import base64
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any, Final

from agent.commission.course import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MARKS: Final = {Outcome.PASSED: "passed", Outcome.FAILED: "FAILED", Outcome.SKIPPED: "skipped"}


def sheet_of(result: Mapping[str, Any], pictures: Mapping[str, bytes], fingerprint: str) -> str:
    """The sheet.

    Args:
        result: What was signed.
        pictures: JPEGs by the name under which the result has them.
        fingerprint: SHA-256 of the signed file, by which paper and file are told to belong together.
    """
    unit, passed = result["unit"], result["passed"]
    place = f"{unit['latitude']:.5f}, {unit['longitude']:.5f}" if unit["latitude"] is not None else "not given"
    signed = result["countersigned"]
    return Template(files("agent.commission").joinpath("sheet.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"Commissioning of {unit['id']}"),
        verdict="PASSED" if passed else "NOT PASSED: every alert of this unit is a test",
        verdict_class="good" if passed else "bad",
        unit="".join(
            _row(name, value)
            for name, value in (
                ("Unit", f"{unit['org']} / {unit['id']} ({unit['profile']})"),
                ("Name", unit["name"]),
                ("Place", unit["location"]),
                ("Coordinates", place),
                ("Camera", unit["camera"] or "none"),
                ("Engineer", result["engineer"] or "not given"),
                ("From", result["began"]),
                ("To", result["ended"]),
                ("Software", result["software"]),
                ("Image sizes by", result["edition"]),
            )
        ),
        steps="".join(_step(number, step) for number, step in enumerate(result["steps"], 1)),
        pictures="".join(_picture(step, result, pictures) for step in result["steps"]),
        control_room=(
            "".join(
                _row(name, value)
                for name, value in (
                    ("Operator", signed["operatorRef"]),
                    ("Code read back", signed["code"]),
                    ("Alert", signed["alertId"]),
                    ("Note", signed["note"] or ""),
                    ("Results", signed["digest"]),
                )
            )
            if signed
            else _row("Control room", "not countersigned")
        ),
        fingerprint=escape(fingerprint),
    )


def _row(name: str, value: object) -> str:
    return f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>\n"


def _step(number: int, step: Mapping[str, Any]) -> str:
    outcome = step["outcome"]
    mark = _MARKS.get(outcome, "NOT DONE")
    measured = "; ".join(_fact(name, value) for name, value in step["facts"].items())
    more = f'<div class="facts">{escape(measured)}</div>' if measured else ""
    return (
        f'<tr class="{escape(outcome)}"><td>{number}</td><td>{escape(step["title"])}</td><td>{escape(mark)}</td>'
        f"<td>{escape(step['text'])}{more}</td></tr>\n"
    )


def _fact(name: str, value: object) -> str:
    if isinstance(value, dict):
        return f"{name}: {', '.join(f'{key} {each}' for key, each in value.items())}"
    if isinstance(value, list):
        return f"{name}: {', '.join(map(str, value)) or 'none'}"
    return f"{name}: {value}"


def _picture(step: Mapping[str, Any], result: Mapping[str, Any], pictures: Mapping[str, bytes]) -> str:
    jpeg = pictures.get(step["facts"].get("file", ""))
    if jpeg is None:
        return ""
    width, height = result["unit"]["widthPx"], result["unit"]["heightPx"]
    encoded = base64.b64encode(jpeg).decode("ascii")
    return (
        f"<figure><svg viewBox='0 0 {width:d} {height:d}' role='img'>"
        f"<image width='{width:d}' height='{height:d}' href='data:image/jpeg;base64,{encoded}'/>"
        f"{''.join(_masks(result, width, height))}</svg>"
        f"<figcaption>{escape(step['title'])}, {escape(str(step['facts'].get('taken')))}</figcaption></figure>\n"
    )


def _masks(result: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    for mask in result["masks"]:
        corners = " ".join(f"{x * width:.0f},{y * height:.0f}" for x, y in mask["points"])
        x, y = mask["points"][0]
        yield f"<polygon points='{corners}'/>"
        yield f"<text x='{x * width + 6:.0f}' y='{y * height + 28:.0f}'>{escape(mask['name'])}</text>"
