"""Stage 3, detect: what it contains."""
