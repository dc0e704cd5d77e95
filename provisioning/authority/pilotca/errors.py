"""What is told to whoever sits at the machine."""


class Refused(ValueError):
    """It cannot be done; the text says in one sentence what, where, and what to do."""
