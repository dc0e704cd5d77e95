"""The sound level meter: from the microphone's 48 kHz sound to levels a second. Numbers only; sound never leaves it.

It is built after IEC 61672-1 and is no sound level meter in that standard's sense: the microphone, its windscreen and
the cabinet around it are no laboratory's. What it says is indicative, for tasking and patterns; never for enforcement
(standards.md 5).
"""
