"""The ways, a module for each family."""
