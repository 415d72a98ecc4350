"""Every schema by its name: what `agentguard schema` prints."""

from __future__ import annotations

from agentguard.show.schemas import small
from agentguard.show.schemas.check import CHECK
from agentguard.show.schemas.events import EVENTS
from agentguard.show.schemas.keys import KEYS
from agentguard.show.schemas.notify import NOTIFICATION, NOTIFY
from agentguard.show.schemas.report import REPORT
from agentguard.show.schemas.scan import SCAN
from agentguard.show.schemas.sessions import SESSIONS
from agentguard.show.schemas.several_sessions import COMPARE, REPORT_RANGE
from agentguard.show.schemas.words import Schema

SCHEMAS: dict[str, Schema] = {
    "check": CHECK,
    "compare": COMPARE,
    "doctor": small.DOCTOR,
    "events": EVENTS,
    "hook-status": small.HOOK_STATUS,
    "keys": KEYS,
    "notification": NOTIFICATION,
    "notify": NOTIFY,
    "policy-check": small.POLICY_CHECK,
    "policy-explain": small.POLICY_EXPLAIN,
    "policy-list": small.POLICY_LIST,
    "policy-test": small.POLICY_TEST,
    "report": REPORT,
    "report-range": REPORT_RANGE,
    "scan": SCAN,
    "sessions": SESSIONS,
    "status": small.STATUS,
    "verify": small.VERIFY,
}
