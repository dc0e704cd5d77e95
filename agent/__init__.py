"""The edge agent of a Safe Point or Safe Space unit: sense -> decide -> act -> tell."""

from datetime import UTC, datetime

__version__ = "0.1.0"
BUILT = datetime(2026, 11, 28, tzinfo=UTC)
"""When this version was made: no unit that runs it lives earlier, whatever its clock says. Moved with each release."""
