"""The daemon's two helper processes: the listener and the recorder.

Both wrap native code that can hang or leak beyond repair from inside, so they live apart, and a dead, hung or leaking
one never delays the alarm path. `messages` is what they say, `channel` their end of the line, `owner` the daemon's.
"""
