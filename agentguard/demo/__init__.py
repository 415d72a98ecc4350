"""The demo: a stand-in agent, a server that plays the outside world, and synthetic secrets, all on loopback."""
