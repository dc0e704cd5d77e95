"""What is drawn into every picture before it is encoded: masks and the caption."""
