"""Ways to send a secret, each with what we claim of it, against servers of a network of the test's own."""
