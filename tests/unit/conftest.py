"""Its presence lets test files import the builders beside it."""
