"""One verb a module, imported when it is used: `add_arguments(parser)` and `run(arguments) -> int`."""
