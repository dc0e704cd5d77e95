"""The only place that touches hardware: pins, lamp, speaker, microphone, camera."""
