"""Options that several footage commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_interval(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Describe `--from` and `--to`."""
    parser.add_argument("--from", dest="since", metavar="T", required=required, help="where it begins")
    parser.add_argument("--to", dest="until", metavar="T", required=required, help="where it ends")


def add_target(parser: argparse.ArgumentParser, ending: str) -> None:
    """Describe `--out` and `--force`."""
    parser.add_argument("--out", metavar=f"FILE.{ending}", type=Path, required=True, help="the file to make")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Describe `--json`."""
    parser.add_argument("--json", action="store_true", help="answer with one JSON object, times in UTC")
