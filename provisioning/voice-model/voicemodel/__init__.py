"""Builds the voice model: synthetic speech, a small network trained on it, the files that Vosk loads."""

RATE_HZ = 16_000
"""Of all sound in here, as of the unit's recogniser."""
