"""Many units that are nothing but their uplink, to find out what a broker and a control room can carry.

Not what a unit keeps: their alerts wait in memory. That a real one loses none is shown by `./dev chaos`.
"""
