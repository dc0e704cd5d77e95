"""Many units that are nothing but their uplink, to find out what a broker and a control room can carry."""
