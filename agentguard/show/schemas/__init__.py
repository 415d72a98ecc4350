"""JSON Schema (2020-12) of everything that a verb prints with `--format json`."""
