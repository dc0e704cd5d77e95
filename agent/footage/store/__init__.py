"""How footage lies on the disk: segments, their index, what can be read from them."""
