"""Pictures and films off the unit, on connections of their own: no call ever waits for one.

`stills` go over MQTT, a second after what they show. `uploads` go over HTTPS to the place that a command names, in a
thread. Both pay from one `purse` and give way on one `road`.
"""
