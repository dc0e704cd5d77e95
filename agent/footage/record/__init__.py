"""From the camera to the disk: frames, their pace, what is lost of them."""
