"""The daemon's two helper processes: the listener and the recorder.

Both wrap native code that can hang or leak beyond repair from inside, so they live apart, and a dead, hung or leaking
one never delays the alarm path. `messages` is what they say, `channel` their end of the line, `owner` the daemon's:
`process` is the child itself, `patience` and `talk` bound what it may take, `left_behind` is for one that not even
SIGKILL ends. What is done about one that does not work is the `ladder`; when its `last_rung` may be climbed is a table
of rules.
"""
