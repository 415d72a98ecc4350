"""What a secret file holds: the values to follow through the session. In memory only.

A parser of the file's own format proposes candidates; a candidate is followed when a credential type recognises it or
when it is rare (`rarity`). Hostile content never raises: it yields fewer values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from agentguard.detect.fingerprint import Fingerprinter, preview
from agentguard.detect.names import issuer_of, says_secret
from agentguard.detect.parse import Candidate, Parser, bytes_of, text_of
from agentguard.detect.parse_json import parse_docker, parse_json
from agentguard.detect.parse_keys import private_keys
from agentguard.detect.parse_lines import parse_lines, parse_tokens, parse_xml
from agentguard.detect.parse_logins import (
    parse_kubeconfig,
    parse_netrc,
    parse_npmrc,
    parse_pgpass,
    parse_pypirc,
    parse_urls,
    url_login,
)
from agentguard.detect.rarity import is_secret, looks_random
from agentguard.detect.scanner import Located
from agentguard.detect.value_index import ValueIndex
from agentguard.model.secret import KNOWN_VALUE, SecretValue

__all__ = ["ValueIndex", "environment_values", "extract_values", "recognised_values"]

MAX_BYTES = 1 << 20
MAX_VALUES = 2000
_MAX_CANDIDATES = 20_000
_BINARY_SAMPLE = 8192
_CHUNK = 32
_CHUNKS = 8
_PATH_TOKEN = 24
_BARE_WORD = re.compile(r"[A-Za-z0-9_\-.+/~:]{8,4096}={0,2}")

_PARSERS: dict[str, Parser] = {
    "git-credentials": parse_urls,
    "netrc": parse_netrc,
    "npmrc": parse_npmrc,
    "pypirc": parse_pypirc,
    "docker-config": parse_docker,
    "kubeconfig": parse_kubeconfig,
    "pgpass": parse_pgpass,
    "shell-history": parse_tokens,
    "process-environment": lambda text: parse_lines(text.replace("\0", "\n")),
}
_RARITY_COUNTS = frozenset({"dotenv", "secrets-file", "private-key"})
"""Kinds in which a rare value is a secret whatever its name. Other files hold ids and hashes too: there the name, the
format or the credential type must say it."""


class ValueScanner(Protocol):
    """What is asked of the scanner."""

    @property
    def fingerprinter(self) -> Fingerprinter:
        """Names values by the home folder's key."""

    def locate(self, data: bytes) -> list[Located]:
        """Credentials recognised by form in `data` as it stands."""


def extract_values(path: str, data: bytes, kind: str, scanner: ValueScanner) -> list[SecretValue]:
    """The values of one secret file, at most 2,000, each once; of a file over 1 MB, of its first part.

    `kind` is the id of its pattern (policies/files.yaml). The lines of a private key share the key's fingerprint: they
    are one secret. Values that are public by design are not followed.
    """
    data = data[:MAX_BYTES]
    collector = _Collector(path, scanner)
    if kind == "keystore":
        collector.chunks(data)
        return collector.values()
    text = text_of(data)
    candidates = list(islice(_candidates(path, text, kind, data), _MAX_CANDIDATES))
    collector.located(text, candidates)
    for candidate in candidates:
        collector.offer(candidate, strict=kind not in _RARITY_COUNTS)
    return collector.values()


def recognised_values(path: str, data: bytes, scanner: ValueScanner) -> list[SecretValue]:
    """The values in a file that is secret for what it holds: credentials of a known type, at most 2,000, each once.

    What stands beside them in a program, a notebook or a log is no list of settings, so nothing else is taken for one.
    """
    collector = _Collector(path, scanner)
    collector.located(text_of(data), [])
    return collector.values()


_NO_SETTING = re.compile(r"PWD|OLDPWD|INIT_CWD|_|GIT_CONFIG_KEY_[0-9]+")
"""Variables that are named like secrets and never are: in a settings file `PWD` is short for password, here never."""


def environment_values(environ: Iterable[tuple[str, str]], scanner: ValueScanner) -> list[SecretValue]:
    """Secrets of a process's environment: what a credential type recognises, and rare values under a telling name."""
    collector = _Collector("", scanner)
    told = ((name, value) for name, value in environ if not _NO_SETTING.fullmatch(name) and len(value) <= MAX_BYTES)
    candidates = [Candidate(name, value) for name, value in told]
    expanded = [found for candidate in candidates for found in _expanded(candidate)]
    collector.located("\n".join(f"{one.name}={one.value}" for one in candidates), expanded)
    for candidate in expanded:
        collector.offer(candidate, strict=True)
    return collector.values()


def _candidates(path: str, text: str, kind: str, data: bytes) -> Iterator[Candidate]:
    parser = _PARSERS.get(kind) or _by_content(text)
    word = text.strip()
    if _BARE_WORD.fullmatch(word):
        yield Candidate(_name(path), word, sure=True)
    elif b"\0" not in data[:_BINARY_SAMPLE] or kind == "process-environment" or "\0" not in text:
        for candidate in parser(text):
            yield from _expanded(candidate)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _by_content(text: str) -> Parser:
    start = text.lstrip()[:1]
    if start in {"{", "["} and not re.match(r"\s*\[[\w .\-\"']+\]\s*$", text.lstrip().split("\n", 1)[0]):
        return parse_json
    return parse_xml if start == "<" else parse_lines


def _expanded(candidate: Candidate) -> Iterator[Candidate]:
    """A URL holds further secrets: its login, telling query values, a random part of its path."""
    if "://" not in candidate.value[:40]:
        yield candidate
        return
    logins = [replace(login, name=candidate.name or login.name) for login in url_login(candidate.value)]
    if any(is_secret(login.value, sure=True) for login in logins):
        yield Candidate(candidate.name, candidate.value, logins[0].hosts, sure=True)
        # One credential, whether it is sent as the URL or as the password in it.
        yield from (replace(login, whole=candidate.value) for login in logins)
    else:
        yield Candidate(candidate.name, candidate.value, candidate.hosts)
        yield from logins
    yield from _url_parts(candidate)


def _url_parts(candidate: Candidate) -> Iterator[Candidate]:
    try:
        url = urlsplit(candidate.value)
        host = (url.hostname or "").lower()
    except ValueError:
        return
    hosts = (host,) if host else ()
    for name, value in parse_qsl(url.query, max_num_fields=None)[:32]:
        if says_secret(name):
            yield Candidate(name, value, hosts)
    for part in url.path.split("/")[:16]:
        if len(part) >= _PATH_TOKEN and looks_random(part):
            yield Candidate(candidate.name, part, hosts, sure=True)


class _Collector:
    """The values of one file in the making."""

    def __init__(self, path: str, scanner: ValueScanner) -> None:
        self._path = path
        self._scanner = scanner
        self._found: dict[bytes, SecretValue] = {}
        self._typed: dict[bytes, Located] = {}
        self._public: set[bytes] = set()

    def values(self) -> list[SecretValue]:
        return list(self._found.values())

    def located(self, text: str, candidates: list[Candidate]) -> None:
        """Enter what credential types recognise, in the text as it stands and in the candidates as they were parsed."""
        body = bytes_of(text)
        parsed = b"\n".join(bytes_of(candidate.value) for candidate in candidates if "\\" in text or "%" in text)
        for data in (body, parsed):
            for one in self._scanner.locate(data) if data else ():
                if one.type.public:
                    self._public.add(one.value)
                elif one.value not in self._typed:
                    self._typed[one.value] = one
        by_value = {bytes_of(candidate.value): candidate for candidate in candidates}
        for value, one in self._typed.items():
            said = by_value.get(value)
            hosts = (*(said.hosts if said else ()), *one.issuer_hosts)
            self._keep(value, one.type.id, (said.name if said else "") or one.name, hosts)
        for source in (text, *(candidate.value for candidate in candidates if "PRIVATE KEY" in candidate.value)):
            self._keys(source)

    def offer(self, candidate: Candidate, *, strict: bool) -> None:
        """Enter a candidate if it is rare, unless a credential type has said all there is to say of it."""
        value = bytes_of(candidate.value)
        if value in self._found or value in self._public or "PRIVATE KEY-----" in candidate.value:
            return
        if not is_secret(candidate.value, candidate.name, sure=candidate.sure, strict=strict):
            return
        if "://" not in candidate.value and any(_is_part(typed, value) for typed in self._typed):
            return
        self._keep(
            value,
            KNOWN_VALUE,
            candidate.name,
            (*candidate.hosts, *issuer_of(candidate.name)),
            whole=bytes_of(candidate.whole),
        )

    def chunks(self, data: bytes) -> None:
        """A binary store has no values to read: pieces of it stand for the whole, under one fingerprint."""
        if len(data) < _CHUNK * 4:
            return
        step = len(data) // _CHUNKS
        for start in range(step // 2, len(data) - _CHUNK, step):
            piece = data[start : start + _CHUNK]
            if len(set(piece)) >= _CHUNK // 2:
                self._keep(piece, KNOWN_VALUE, _name(self._path), (), whole=data)

    def _keys(self, text: str) -> None:
        """The lines of a private key: each stands for the whole, whose fingerprint and preview they share."""
        for key in private_keys(text):
            block = bytes_of(key.block)
            recognised = [one for one in self._scanner.locate(block) if not one.type.public]
            whole = recognised[0].value if recognised else block
            kind = recognised[0].type.id if recognised else KNOWN_VALUE
            for line in key.lines:
                self._keep(bytes_of(line), kind, key.label.lower(), (), whole=whole)

    def _keep(self, value: bytes, kind: str, name: str, hosts: tuple[str, ...], *, whole: bytes = b"") -> None:
        if len(self._found) >= MAX_VALUES or not value:
            return
        secret = whole or value
        self._found[value] = SecretValue(
            value=value,
            fingerprint=self._scanner.fingerprinter.of(secret),
            preview=preview(secret),
            type=kind,
            name=name,
            issuer_hosts=tuple(dict.fromkeys(hosts)),
            source_path=self._path,
        )


def _is_part(word: bytes, value: bytes) -> bool:
    """Whether `word` stands in `value` as a word of its own (`token abc`)."""
    at = value.find(word)
    return at >= 0 and not value[:at][-1:].isalnum() and not value[at + len(word) :][:1].isalnum()
