"""Stage 6, show: tell it. Reads through `record.reader` alone."""
