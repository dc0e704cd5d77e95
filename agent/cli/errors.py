"""What the command line tells people instead of a traceback."""

from __future__ import annotations


class UsageError(Exception):
    """The command cannot be done as given. Its one sentence (what, where, what to do) goes to stderr, exit code 2."""
