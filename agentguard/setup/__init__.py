"""Putting AgentGuard into a user's own folders, and taking every trace of it out again. Never as another user."""
