"""New versions of the agent: whether to take one, where it is put, and the way back.

It runs beside the daemon, never in it.
"""
