"""What is made of footage: clips, stills, strips."""
