"""The key that a webhook is signed with: where it is kept, and what is made with it.

As in Standard Webhooks (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` and `webhook-signature`,
which is `v1,` and the base64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`. There are libraries for receivers in most
languages.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from agentguard.show.notify.channels import process
from agentguard.show.notify.channels.interface import ChannelError, clean_environment

LEAST_BYTES = 24
"""Of a key, as Standard Webhooks asks."""
MOST_BYTES = 4096
_PREFIX = "whsec_"
_KEYRING_SECONDS = 5.0


def signature_headers(key: bytes, uid: str, seconds: int, body: bytes) -> dict[str, str]:
    """`seconds`: since the epoch. A receiver refuses what is older than a few minutes."""
    digest = hmac.digest(key, f"{uid}.{seconds}.".encode() + body, "sha256")
    return {
        "webhook-id": uid,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def signing_key(reference: str, environ: Mapping[str, str]) -> bytes:
    """Of `file:PATH` or `keyring:SERVICE/ACCOUNT`. `whsec_` and base64, or else the text itself.

    Raises:
        ChannelError: it cannot be had, others could have read it, or it is too short.
    """
    scheme, _, rest = reference.partition(":")
    text = _of_file(rest, environ) if scheme == "file" else _of_keyring(rest, environ)
    text = text.strip()
    try:
        key = base64.b64decode(text[len(_PREFIX) :], validate=True) if text.startswith(_PREFIX) else text.encode()
    except (binascii.Error, ValueError):
        raise ChannelError(f"the signing secret at {reference} begins with {_PREFIX} and is not base64") from None
    if len(key) < LEAST_BYTES:
        raise ChannelError(f"the signing secret at {reference} is too short; make one of {LEAST_BYTES} bytes or more")
    return key


def _of_file(name: str, environ: Mapping[str, str]) -> str:
    path = Path(environ.get("HOME", "/"), name[2:]) if name.startswith("~/") else Path(name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ChannelError(f"the signing secret {path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise ChannelError(f"the signing secret {path} must be a regular file")
        if info.st_uid != os.getuid() or info.st_mode & 0o077:
            raise ChannelError(f"others can read the signing secret {path}; make it yours alone: chmod 600 {path}")
        data = file.read(MOST_BYTES)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ChannelError(f"the signing secret {path} is not text; write it as {_PREFIX} and base64") from None


def _of_keyring(name: str, environ: Mapping[str, str]) -> str:
    service, _, account = name.partition("/")
    argv = ["secret-tool", "lookup", "service", service, "account", account]
    if sys.platform == "darwin":
        argv = ["security", "find-generic-password", "-s", service, "-a", account, "-w"]
    ended, said = process.ask(argv, environ=clean_environment(environ), seconds=_KEYRING_SECONDS)
    if ended.status != 0 or not said:
        raise ChannelError(f"the keyring has no secret for {service}/{account} ({argv[0]}: {ended.text})")
    return said
