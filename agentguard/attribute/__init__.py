"""Stage 2, attribute: who did it."""
