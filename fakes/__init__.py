"""A street to try the unit on: pins, sounds, pictures, a broker, driven by verbs."""

from __future__ import annotations

from pathlib import Path

SPEECH = Path(__file__).parent / "speech"
"""Recordings of synthetic voices; `build` beside them says what each one says."""
