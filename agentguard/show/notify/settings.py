"""Who is told, of what, and by which way: `notify.yaml` in the home folder. Read once, before the agent starts."""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from agentguard.errors import ConfigError
from agentguard.show.notify.alarm import Need
from agentguard.yaml_reader import MAX_BYTES, Items, Node, Scalar, Table, quoted, read_yaml

NONE = "none"
"""`--notify none`: tell nobody."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_TIME = re.compile(r"([0-9]{1,6})(s|m|h|d)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_CHANNELS = 16
LONGEST_SECONDS = 60
"""That one delivery may take."""
_FILE_KEYS = ("version", "channels", "tell", "every", "repeat_after")
_KEYS = {"command": ("name", "command", "timeout"), "webhook": ("name", "webhook", "secret", "timeout")}


class Kind(StrEnum):
    """Of a channel."""

    TERMINAL = "terminal"
    """A bell and OSC 9, on a terminal that is ours: the dashboard's, `watch`'s, and the agent's once it has ended."""
    DESKTOP = "desktop"
    """notify-send; osascript on macOS."""
    COMMAND = "command"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One way out."""

    name: str
    kind: Kind
    argv: tuple[str, ...] = ()
    """Of a command."""
    url: str = ""
    """Of a webhook."""
    secret: str = ""
    """Where a webhook's signing secret is: `file:PATH` or `keyring:SERVICE/ACCOUNT`; "" for none."""
    timeout_seconds: float = 10.0
    asked_for: bool = True
    """By the user; else it is only there because nothing was said, and its absence is not worth a word."""


BUILT_IN = {kind.value: Channel(name=kind.value, kind=kind) for kind in (Kind.DESKTOP, Kind.TERMINAL)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force for a session."""

    channels: tuple[Channel, ...] = tuple(
        dataclasses.replace(channel, asked_for=False) for channel in BUILT_IN.values()
    )
    tell: frozenset[Need] = frozenset(Need)
    every_seconds: float = 60.0
    """After one message the next waits so long, and tells of all that came meanwhile."""
    repeat_seconds: float = 3600.0
    """The same thing is not told again for so long, by no session."""

    @property
    def terminal(self) -> bool:
        """Whether a terminal of ours may ring."""
        return any(channel.kind is Kind.TERMINAL for channel in self.channels)

    @property
    def outgoing(self) -> tuple[Channel, ...]:
        """The channels that need a process of their own."""
        return tuple(channel for channel in self.channels if channel.kind is not Kind.TERMINAL)


SILENT = Settings(channels=())


def load_settings(path: Path) -> Settings:
    """The defaults where there is no file.

    Raises:
        ConfigError: `FILE:LINE: what is wrong`; or somebody else could have written it.
        PolicyError: it is not acceptable YAML.
    """
    data = _read(path)
    return Settings() if data is None else _Parser(str(path)).settings(read_yaml(data, str(path)))


def chosen(settings: Settings, names: Sequence[str]) -> Settings:
    """The same with those channels alone, by name. `none` stands for no channel.

    Raises:
        ConfigError: there is no such channel.
    """
    if list(names) == [NONE]:
        return dataclasses.replace(settings, channels=())
    known = {**BUILT_IN, **{channel.name: channel for channel in settings.channels}}
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no channel {quoted(name)} to notify by; there are {', '.join(known)}, {NONE}")
    picked = (dataclasses.replace(known[name], asked_for=True) for name in dict.fromkeys(names))
    return dataclasses.replace(settings, channels=tuple(picked))


def settings_of(path: Path, names: Sequence[str] | None) -> Settings:
    """Of the file, with the channels that were named on the command line instead of its own. Errors of both."""
    settings = load_settings(path)
    return settings if names is None else chosen(settings, names)


def is_loopback(host: str) -> bool:
    """A host that is this machine whatever a name server says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _read(path: Path) -> bytes | None:
    """What it names is run and is sent to, by the guard itself: only its user may have written it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise ConfigError(f"{path}: must be a regular file")
        if info.st_uid not in (os.getuid(), 0) or info.st_mode & 0o022:
            raise ConfigError(f"{path}: others may write to it; take it over with `chown` and `chmod 600`")
        return file.read(MAX_BYTES + 1)


class _Parser:
    """Stops at the first problem."""

    def __init__(self, shown: str) -> None:
        self._shown = shown

    def settings(self, root: Node | None) -> Settings:
        table = self._table(root, "settings are a mapping with version and channels")
        self._keys(table, _FILE_KEYS)
        version = self._word(table, "version")
        if version is None or version.text != "1":
            raise self._wrong(version or table, "version must be 1")
        plain = Settings()
        return Settings(
            channels=self._channels(table) if "channels" in table.entries else plain.channels,
            tell=self._tell(table) if "tell" in table.entries else plain.tell,
            every_seconds=self._time(table, "every", plain.every_seconds, least=1),
            repeat_seconds=self._time(table, "repeat_after", plain.repeat_seconds, least=0),
        )

    def _channels(self, table: Table) -> tuple[Channel, ...]:
        node = table.entries["channels"][1]
        items = self._items(node, "channels must be a list; `[]` tells nobody")
        if len(items) > _MOST_CHANNELS:
            raise self._wrong(node, f"there may be {_MOST_CHANNELS} channels")
        found: dict[str, Channel] = {}
        for item in items:
            channel = self._channel(item)
            if channel.name in found:
                raise self._wrong(item, f"there are two channels called {quoted(channel.name)}; give one another name")
            found[channel.name] = channel
        return tuple(found.values())

    def _channel(self, node: Node) -> Channel:
        if isinstance(node, Scalar):
            if node.text not in BUILT_IN:
                hint = f"write {' or '.join(BUILT_IN)}, or a mapping with command or webhook"
                raise self._wrong(node, f"there is no channel {quoted(node.text)}; {hint}")
            return BUILT_IN[node.text]
        table = self._table(node, "a channel is a word or a mapping")
        kind = next((kind for kind in _KEYS if kind in table.entries), None)
        if kind is None:
            raise self._wrong(node, "a channel needs command or webhook")
        self._keys(table, _KEYS[kind])
        name, timeout = self._name(table, kind), self._time(table, "timeout", 10, least=1, most=LONGEST_SECONDS)
        return self._command(table, name, timeout) if kind == "command" else self._webhook(table, name, timeout)

    def _command(self, table: Table, name: str, timeout: float) -> Channel:
        node = table.entries["command"][1]
        words = self._items(node, "command must be a list: the program and its arguments, each by itself")
        argv = tuple(self._text(word, "command") for word in words)
        if not argv or not argv[0]:
            raise self._wrong(node, "command names no program")
        return Channel(name=name, kind=Kind.COMMAND, argv=argv, timeout_seconds=timeout)

    def _webhook(self, table: Table, name: str, timeout: float) -> Channel:
        node = table.entries["webhook"][1]
        url = self._text(node, "webhook")
        problem = _url_problem(url)
        if problem:
            raise self._wrong(node, f"webhook: {problem}")
        secret = self._word(table, "secret")
        if secret is not None and not re.fullmatch(r"file:[/~].*|keyring:[^/]+/.+", secret.text):
            raise self._wrong(secret, "secret must be file:PATH (absolute or with ~) or keyring:SERVICE/ACCOUNT")
        where = secret.text if secret else ""
        return Channel(name=name, kind=Kind.WEBHOOK, url=url, secret=where, timeout_seconds=timeout)

    def _name(self, table: Table, kind: str) -> str:
        word = self._word(table, "name")
        if word is None:
            return kind
        if not _NAME.fullmatch(word.text) or word.text in (*BUILT_IN, NONE):
            raise self._wrong(word, f"{quoted(word.text)} cannot be the name of a channel: a-z, 0-9, - and _")
        return word.text

    def _tell(self, table: Table) -> frozenset[Need]:
        words = self._items(table.entries["tell"][1], "tell must be a list")
        for word in words:
            if self._text(word, "tell") not in list(Need):
                known = ", ".join(Need)
                raise self._wrong(word, f"tell: {quoted(self._text(word, 'tell'))} is not known; there are {known}")
        return frozenset(Need(self._text(word, "tell")) for word in words)

    def _time(self, table: Table, key: str, default: float, *, least: int, most: int = 30 * 86_400) -> float:
        word = self._word(table, key)
        if word is None:
            return default
        parts = _TIME.fullmatch(word.text)
        seconds = int(parts[1]) * _UNITS[parts[2]] if parts else -1
        if not least <= seconds <= most:
            raise self._wrong(word, f"{key} must be a time from {least}s to {most}s, like 30s, 5m, 1h")
        return float(seconds)

    # --- nodes --------------------------------------------------------------------------------------

    def _word(self, table: Table, key: str) -> Scalar | None:
        entry = table.entries.get(key)
        if entry is None:
            return None
        if not isinstance(entry[1], Scalar) or not entry[1].text:
            raise self._wrong(entry[1], f"{key} must be one word")
        return entry[1]

    def _text(self, node: Node, what: str) -> str:
        if not isinstance(node, Scalar) or "\0" in node.text:
            raise self._wrong(node, f"{what}: each entry must be one word or text")
        return node.text

    def _items(self, node: Node, words: str) -> list[Node]:
        if not isinstance(node, Items):
            raise self._wrong(node, words)
        return node.items

    def _table(self, node: Node | None, words: str) -> Table:
        if not isinstance(node, Table):
            raise self._wrong(node, words)
        return node

    def _keys(self, table: Table, known: Sequence[str]) -> None:
        for key, _ in table.entries.values():
            if key.text not in known:
                raise self._wrong(key, f"{quoted(key.text)} is not known here; there are {', '.join(known)}")

    def _wrong(self, node: Node | None, text: str) -> ConfigError:
        return ConfigError(f"{self._shown}:{node.line if node else 1}: {text}")


def _url_problem(url: str) -> str:
    """The address itself is not told: some carry their secret in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "this is no address"
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        return "this is no address"
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return "a user and password in the address are not supported" if "@" in parts.netloc else ""
    return "must be https (http only for this machine itself)"
