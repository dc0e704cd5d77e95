"""From sound to 'this phrase was said'."""
