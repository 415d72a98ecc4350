"""How an agent is started: the front, the supervisor, and the agent between fork and exec (DESIGN section 4)."""
