"""Ways to read a secret, each with what we claim of it; the README's coverage page is made from this table."""
