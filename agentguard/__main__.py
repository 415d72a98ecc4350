"""`python -m agentguard` is the same program as the `agentguard` command."""

from agentguard.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
