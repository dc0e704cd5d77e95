"""For how long this software gets security updates. `SECURITY.md` says the same, and what it rests on."""

from __future__ import annotations

from datetime import date
from typing import Final

SUPPORTED_UNTIL: Final = date(2031, 11, 30)
"""Five years from the first release: our own promise. The PSTI regulations ask for an end date, not for a length."""
