"""The checks, one a module: each looks at the evidence and says what is weak, why, and how to put it right."""
