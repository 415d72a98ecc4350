"""Secrets at rest: in files, in what is staged, in a repository's history."""
