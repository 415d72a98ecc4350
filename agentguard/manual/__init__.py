"""What the command line says of itself: help, completions and the manual page, all made from the same parsers."""
