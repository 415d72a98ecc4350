"""The end of a session as the terminal shows it: the report is written, and the summary says where."""

from __future__ import annotations

import shlex

from agentguard.config import Home, home_path
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
        path = write_report(reader, session, home.reports)
        return summary(session, reader, path, color=color, home=_unusual(home))
    finally:
        reader.close()


def _unusual(home: Home) -> str:
    """ "" when a verb without `--home` would open the same folder."""
    return "" if home_path(None) == home.root else shlex.quote(str(home.root))
