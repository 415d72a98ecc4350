"""The end of a session as the terminal shows it: the report is written, and the summary says where."""

from __future__ import annotations

from pathlib import Path

from agentguard.config import Home, home_option
from agentguard.errors import AgentGuardError
from agentguard.launch.log import log
from agentguard.model.session import Session
from agentguard.record.reader import Reader
from agentguard.show.report.write import write_report
from agentguard.show.summary import summary


def closing_words(home: Home, session_uid: str, *, color: bool) -> str:
    """ "" when the session cannot be read back: the agent's own ending must not suffer from it."""
    reader = Reader(home.database)
    try:
        session = reader.session(session_uid)
        if session is None:
            return ""
        path = _report(reader, session, home)
        return summary(session, reader, path, color=color, home_option=home_option(home))
    except AgentGuardError as error:
        log(f"no summary: {error}")
        return ""
    finally:
        reader.close()


def _report(reader: Reader, session: Session, home: Home) -> Path | None:
    """None when it cannot be written (a full disk, say): the summary is told without it, and the log says why."""
    try:
        return write_report(reader, session, home.reports)
    except OSError as error:
        log(f"the report could not be written: {error.strerror or type(error).__name__}")
        return None
