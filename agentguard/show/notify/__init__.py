"""Tells a person of what cannot wait for the report: what is said, when, and by which way."""
