"""Recording around the clock: segments, index, clips, stills."""
