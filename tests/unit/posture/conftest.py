"""Its presence lets test files import the support beside it."""
