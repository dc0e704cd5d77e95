"""The other end of the line: what an operator sees and does."""
