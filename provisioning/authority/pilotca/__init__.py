"""A small certificate authority for pilots: plain files, one register, and no key that travels."""
