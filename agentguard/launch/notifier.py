"""Starts the process that delivers notifications (`agentguard.notify_child`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import agentguard
from agentguard.command_name import interpreter_options
from agentguard.show.notify.channels.interface import clean_environment

_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where the user keeps a certificate authority of the company's."""


def start_notifier(*words: str, stdin: int, log: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """In a session of its own: the terminal's signals are not for it. Raises OSError when it cannot be started."""
    kept = clean_environment(environ)
    kept |= {name: environ[name] for name in _TRUST if name in environ}
    kept["PYTHONPATH"] = str(Path(agentguard.__file__).resolve().parent.parent)
    stderr = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", *interpreter_options(), "-m", "agentguard.notify_child", *words],
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
            cwd="/",
            env=kept,
        )
    finally:
        os.close(stderr)
