"""The process that looks: a thread for each part, and a line of JSON for each that is done.

A disk or a systemd that hangs takes its thread with it and nothing else; whoever started this leaves it behind.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

from pydantic import TypeAdapter

from agent.doctor.facts import HANGS, Facts
from agent.doctor.look import FIRST, part_names
from agent.doctor.look.case import Case

FIRST_WITHIN_S = 6.0
"""The others begin without the configuration when it does not come."""


class Looks:
    """The looks that are under way in this process."""

    def __init__(self, file: Path) -> None:
        self.case = Case(file)
        self._types = get_type_hints(Facts)
        self._telling = threading.Lock()

    def begin(self, part: str) -> threading.Thread:
        """Look at one part, in a thread that may never end."""
        thread = threading.Thread(target=self._look, args=(part,), name=part, daemon=True)
        thread.start()
        return thread

    def _look(self, part: str) -> None:
        try:
            value = importlib.import_module(f"agent.doctor.look.{part}").look(self.case)
        except TimeoutError:
            self.tell({"part": part, "why": HANGS})
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and the other parts are worth knowing
            self.tell({"part": part, "why": str(error) or type(error).__name__})
            return
        if part == FIRST:
            self.case = replace(self.case, config=value.config)
        self.tell({"part": part, "value": TypeAdapter(self._types[part]).dump_python(value, mode="json")})

    def tell(self, line: dict[str, object]) -> None:
        """Write a line."""
        with self._telling:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def main() -> None:
    """Look at everything."""
    looks = Looks(Path(sys.argv[1]))
    first, *others = part_names()
    looks.begin(first).join(FIRST_WITHIN_S)
    for thread in [looks.begin(part) for part in others]:
        thread.join()
    looks.tell({"part": None})
    os._exit(0)  # threads that hang would keep it


if __name__ == "__main__":
    main()
