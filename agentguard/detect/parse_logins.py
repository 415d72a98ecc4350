"""Files that keep a login beside the host it is for: netrc, .npmrc, .pypirc, .pgpass, git's store, kubeconfig."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote

from agentguard.detect.parse import Candidate
from agentguard.detect.parse_json import host_of
from agentguard.detect.parse_lines import parse_ini, parse_lines

_NETRC_ASIDE = re.compile(r"^[ \t]*(?:macdef\b(?:.+\n)*|#.*$)", re.MULTILINE)
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]{1,30}://[^\s\"'<>`]{3,2048}")
_NPM = re.compile(r"^\s*(?://([^/\s:=]+(?::[0-9]+)?)[^=\s]*:)?(_authToken|_auth|_password|npmAuthToken)\s*[=:]\s*(.+)$")
_SERVER = re.compile(r"^\s*server:\s*[\"']?(\S+?)[\"']?\s*$", re.MULTILINE)
_KUBE_FIELD = re.compile(
    r"^[\s-]*(token|password|client-key-data|id-token|refresh-token|access-token):\s*[\"']?(\S+?)[\"']?\s*$"
)


def parse_netrc(text: str) -> Iterator[Candidate]:
    """`machine HOST login NAME password WORD`, over one line or many; macro definitions are passed over."""
    words = iter(_NETRC_ASIDE.sub("", text).split())
    hosts: tuple[str, ...] = ()
    for word in words:
        if word == "machine":
            host = host_of(next(words, ""))
            hosts = (host,) if host else ()
        elif word == "default":
            hosts = ()
        elif word in {"password", "account"}:
            value = next(words, "").strip("\"'")
            if value:
                yield Candidate(word, value, hosts, sure=word == "password")


def parse_npmrc(text: str) -> Iterator[Candidate]:
    """`//HOST/:_authToken=...`; `_auth` holds base64(user:password), `_password` base64(password)."""
    default_hosts = tuple(
        host for name, host in _npm_registries(text) if name in {"registry", "npmRegistryServer"} and host
    )
    for line in text.splitlines():
        found = _NPM.match(line)
        if not found:
            continue
        value = found[3].strip().strip("\"'")
        hosts = (host_of(found[1]),) if found[1] else default_hosts
        yield Candidate(found[2], value, hosts, sure=True)
        if found[2] in {"_auth", "_password"}:
            plain = _unpacked(value)
            secret = plain.partition(":")[2] if found[2] == "_auth" else plain
            if secret:
                yield Candidate("password", secret, hosts, sure=True)
    yield from parse_lines(text)


def parse_pypirc(text: str) -> Iterator[Candidate]:
    """Sections with `repository` and `password`; URLs with a login of pip's own configuration."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for section, name, value in parse_ini(text):
        sections.setdefault(section, []).append((name.lower(), value))
    for fields in sections.values():
        hosts = tuple(host for name, value in fields if name in {"repository", "url"} and (host := host_of(value)))
        for name, value in fields:
            if value and (name == "password" or name.endswith("token")):
                yield Candidate(name, value, hosts, sure=True)
    yield from parse_urls(text)
    yield from parse_lines(text)


def parse_pgpass(text: str) -> Iterator[Candidate]:
    """`host:port:database:user:password`; a backslash escapes `:` and itself."""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        fields = [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\):", line, maxsplit=4)]
        if len(fields) == 5 and fields[4]:
            host = host_of(fields[0]) if fields[0] not in {"", "*"} else ""
            yield Candidate("password", fields[4], (host,) if host else (), sure=True)


def parse_urls(text: str) -> Iterator[Candidate]:
    """`scheme://user:password@host/...`: the password, and the user where it stands alone (a token)."""
    for found in _URL.finditer(text):
        yield from url_login(found[0])


def url_login(url: str) -> Iterator[Candidate]:
    """The credentials inside one URL, for its host; as written, and percent-decoded where that differs."""
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    login, sign, place = authority.rpartition("@")
    if not sign:
        return
    host = host_of(place)
    user, colon, password = login.partition(":")
    secret = password if colon and password not in {"", "x-oauth-basic"} else user
    name = "password" if secret is password else "token"
    hosts = (host,) if host else ()
    plain = unquote(secret, errors="surrogateescape")
    if secret:
        yield Candidate(name, secret, hosts, sure=True)
    if plain != secret:
        yield Candidate(name, plain, hosts, sure=True, whole=secret)


def parse_kubeconfig(text: str) -> Iterator[Candidate]:
    """Tokens, passwords and client keys, for every server that the file names."""
    hosts = tuple(dict.fromkeys(host for found in _SERVER.finditer(text) if (host := host_of(found[1]))))
    for line in text.splitlines():
        found = _KUBE_FIELD.match(line)
        if found:
            yield Candidate(found[1], found[2], hosts, sure=True)
            if found[1] == "client-key-data":
                yield Candidate("client-key", _unpacked(found[2]), hosts)
    yield from parse_lines(text)


def _npm_registries(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, sign, value = line.replace(": ", "=", 1).partition("=")
        if sign and "registr" in name.lower():
            yield name.strip(), host_of(value.strip().strip("\"'"))


def _unpacked(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        return ""
