"""Builds the voice model: speech from synthetic voices, a small network trained on it, and the files that Vosk loads."""
