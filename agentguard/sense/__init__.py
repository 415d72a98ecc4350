"""Stage 1, sense: what happened. One module a sensor; `select` is the one place that chooses."""
