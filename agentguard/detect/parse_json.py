"""JSON files: every text in them under the name of its key; docker's and service accounts' own ways."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from agentguard.detect.parse import Candidate
from agentguard.detect.parse_lines import named, parse_lines

_PAIR = re.compile(r'"([^"\\\n]{1,128})"\s{0,8}:\s{0,8}"((?:[^"\\\n]|\\.){1,4096})"')
_MAX_NODES = 50_000
_HOST_KEYS = ("token_uri", "server", "endpoint", "url", "base_url", "baseUrl", "api_base", "host")


def parse_json(text: str) -> Iterator[Candidate]:
    """Every string, breadth first; a host named beside a value is where it is for. No JSON: read as lines."""
    try:
        top = json.loads(text)
    except (ValueError, RecursionError):
        yield from _pairs(text)
        yield from parse_lines(text)
        return
    queue: deque[tuple[str, Any, tuple[str, ...]]] = deque([("", top, ())])
    seen = 0
    while queue and seen < _MAX_NODES:
        name, node, hosts = queue.popleft()
        seen += 1
        if isinstance(node, str):
            yield named(name, node, hosts)
        elif isinstance(node, dict):
            beside = _hosts_beside(node) or hosts
            queue.extend((key, value, beside) for key, value in node.items())
        elif isinstance(node, list):
            queue.extend((name, value, hosts) for value in node)


def parse_docker(text: str) -> Iterator[Candidate]:
    """`auths: {host: {auth: base64(user:password), identitytoken, ...}}`; the rest as any JSON."""
    try:
        top = json.loads(text)
        logins = top.get("auths", top) if isinstance(top, dict) else {}
        entries = list(logins.items()) if isinstance(logins, dict) else []
    except (ValueError, RecursionError):
        entries = []
    for host, login in entries:
        if isinstance(login, dict):
            yield from _docker_login((host_of(host),) if host_of(host) else (), login)
    yield from parse_json(text)


def host_of(place: str) -> str:
    """The host of a URL or of `host[:port][/path]`, lower case; "" when there is none."""
    try:
        return (urlsplit(place if "//" in place else f"//{place}").hostname or "").lower()
    except ValueError:
        return ""


def _pairs(text: str) -> Iterator[Candidate]:
    """`"name": "value"` wherever it stands: JSON with comments, cut off, or broken."""
    for found in _PAIR.finditer(text):
        try:
            yield named(found[1], json.loads(f'"{found[2]}"', strict=False))
        except ValueError:
            yield Candidate(found[1], found[2])


def _docker_login(hosts: tuple[str, ...], login: dict[str, Any]) -> Iterator[Candidate]:
    for name in ("identitytoken", "registrytoken", "password"):
        value = login.get(name)
        if isinstance(value, str) and value:
            yield Candidate(name, value, hosts, sure=True)
    packed = login.get("auth")
    if not isinstance(packed, str) or not packed:
        return
    yield Candidate("auth", packed, hosts, sure=True)
    try:
        plain = base64.b64decode(packed, validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        return
    password = plain.partition(":")[2]
    if password:
        yield Candidate("password", password, hosts, sure=True)


def _hosts_beside(node: dict[str, Any]) -> tuple[str, ...]:
    for key in _HOST_KEYS:
        value = node.get(key)
        if isinstance(value, str) and (host := host_of(value)) and "." in host:
            return (host,)
    return ()
