"""The edge agent of a Safe Point or Safe Space unit: sense -> decide -> act -> tell."""

__version__ = "0.1.0"
