"""Stage 5, record: keep it. The only package that knows sqlite-utils."""
