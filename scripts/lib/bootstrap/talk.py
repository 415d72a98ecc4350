"""What the user is told while it installs, and when it fails. All of it goes to stderr."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CAUSES = (
    (r"No space left on device|Disk quota exceeded", "the disk is full; free about 500 MB"),
    (
        r"DO NOT MATCH THE HASHES",
        "a downloaded file is not the pinned one (its hash differs); try another network or mirror",
    ),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|Connection (refused|reset)"
        r"|Temporary failure in name resolution|No route to host|Network is unreachable",
        "the package index cannot be reached; check the network and pip's proxy settings",
    ),
    (r"SSLError|CERTIFICATE_VERIFY_FAILED", "the package index's certificate is not trusted; check pip's cert setting"),
    (r"ensurepip", "this Python cannot make environments; install its venv package (apt install python3-venv)"),
    (r"Permission denied", "a file could not be written; check the owner of the folder"),
)
"""What pip or venv say in the log, and what that means to a user; the first that matches."""

TAKEN = r"(?:Collecting |Processing (?:\S*/)?|Requirement already satisfied: )([\w.-]+?)(?:[=<> ]|-\d|$)"
"""How pip begins its line on a package, wherever it has it from."""


class SetupError(Exception):
    """One line: what happened and what to do."""


def say(text: str) -> None:
    """One line to the user."""
    print(f"agentguard: {text}", file=sys.stderr, flush=True)


def explain(output: str) -> str:
    """What a failed step's output means. Nothing of a URL is quoted: it may hold a password."""
    for pattern, cause in CAUSES:
        if re.search(pattern, output):
            return cause
    if match := re.search(r"No matching distribution found for ([\w.=-]+)", output):
        return (
            f"no ready-made file of {match[1]} was found; is the package index in reach, does it serve this platform?"
        )
    return "a step ended with an error; read what was said"


class Progress:
    """pip's output as one line that counts, on a terminal; as a line now and then elsewhere."""

    def __init__(self, constraints: Path) -> None:
        self._total = _packages(constraints.read_text())
        self._seen = 0
        self._live = sys.stderr.isatty()

    def line(self, text: str) -> None:
        """Take one line of pip's output."""
        if match := re.match(TAKEN, text):
            self._seen += 1
            self._show(f"fetching {self._seen} of {self._total}: {match[1]}", loud=self._seen % 20 == 1)
        elif text.startswith("Installing collected packages"):
            self._show(f"installing {self._seen} packages", loud=True)

    def end(self) -> None:
        """Leave an empty line for whoever writes next."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _show(self, text: str, *, loud: bool) -> None:
        if self._live:
            sys.stderr.write(f"\r\x1b[Kagentguard: {text}")
            sys.stderr.flush()
        elif loud:
            say(text)


def _packages(constraints: str) -> int:
    """How many packages a constraints file names for this platform."""
    other = "linux" if sys.platform == "darwin" else "darwin"
    pins = [line for line in constraints.splitlines() if "==" in line and not line.startswith(" ")]
    return len({pin.split("==")[0] for pin in pins if f"'{sys.platform}'" in pin or f"'{other}'" not in pin})
