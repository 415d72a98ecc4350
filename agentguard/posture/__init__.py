"""How well credentials are kept: what `agentguard check` looks at, one small module a check."""
