"""What is told once: the second time it says nothing new."""

from __future__ import annotations

from agentguard.model.observation import FileObservation


class Once:
    """For one thread: the pipeline's."""

    def __init__(self) -> None:
        self._told: set[tuple[object, ...]] = set()

    def again(self, *what: object) -> bool:
        """Whether this was asked before."""
        told = what in self._told
        self._told.add(what)
        return told

    def environment_again(self, session: str, opened: FileObservation) -> bool:
        """`ps e` reads the environment of every process there is: of one reader, its own and one other's are told."""
        reader = opened.process
        if reader is None:
            return False
        own = opened.path.startswith(f"/proc/{reader.pid}/")
        return self.again("environment", session, reader.pid, reader.start_time, own)
