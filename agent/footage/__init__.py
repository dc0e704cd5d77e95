"""Recording around the clock. `recorder` is the process; what it does has a room each.

`record` takes frames to the disk, `store` is how they lie there, `keep` what stays and what goes, `burn` what is drawn
into each picture, `tamper` whether the camera was disabled, `show` what is made of footage, `find` how people ask for
it.
"""
