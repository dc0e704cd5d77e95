"""Whether somebody or something disabled the camera: seen in its small pictures."""
