"""Between what people call a time and the footage of it."""
