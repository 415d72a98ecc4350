"""Reports that are tables: over a range of sessions, and of what is new in one against another."""
