"""AgentGuard: which credentials did a coding agent touch, and where did they go?"""

__version__ = "0.1.0"
