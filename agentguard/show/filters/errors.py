"""What is wrong with a filter."""

from __future__ import annotations

from agentguard.errors import AgentGuardError


class FilterError(AgentGuardError):
    """The filter cannot be read; the text says where, why and what to write instead, in one line."""

    def __init__(self, position: int, problem: str) -> None:
        """`position`: of the first wrong character, from 0."""
        super().__init__(f"at character {position + 1}: {problem}")
        self.position = position
        self.problem = problem
