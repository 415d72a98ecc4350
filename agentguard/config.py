"""The home folder: the one place that keeps the database and the keys.

`--home DIR`, else `AGENTGUARD_HOME`, else `~/.agentguard`. Mode 0700; keys 0600.
"""

from __future__ import annotations

import hmac
import os
import pwd
import secrets
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentguard.errors import ConfigError

KEY_BYTES = 32
_NO_FOLDER = "the working folder no longer exists; change to another"


@dataclass(frozen=True, slots=True)
class Home:
    """Paths under the home folder. Made by `open_home`."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "agentguard.db"

    @property
    def policy(self) -> Path:
        """The user's own policy; it may not exist."""
        return self.root / "policy.yaml"

    @property
    def notify(self) -> Path:
        """Who is told of what, and how; it may not exist."""
        return self.root / "notify.yaml"

    @property
    def notified(self) -> Path:
        """What was told, and how each channel fared: see `agentguard.show.notify.told`. Safe to delete."""
        return self.root / "notified.json"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def cache(self) -> Path:
        """Compiled rules. Safe to delete."""
        return self.root / "cache"

    @property
    def log(self) -> Path:
        """What the supervisor and the proxy child have to say; never on the agent's terminal."""
        return self.root / "agentguard.log"

    @property
    def looks(self) -> Path:
        """Which secret files guards of this home have just opened: see `agentguard.record.looks`. Safe to delete."""
        return self.root / "looks"

    def fingerprint_key(self) -> bytes:
        """Key of every fingerprint; made at first use.

        Raises:
            ConfigError: it cannot be read or written, or does not hold 32 bytes.
        """
        return _key(self.root / "fingerprint.key")

    def chain_key(self) -> bytes:
        """Key of the event chain; made at first use. Errors as `fingerprint_key`."""
        return _key(self.root / "chain.key")

    def looks_key(self) -> bytes:
        """Key of what guards tell each other; made of the chain's. Errors as `fingerprint_key`."""
        return hmac.digest(self.chain_key(), b"agentguard looks", "sha256")


def home_path(option: str | None, environ: Mapping[str, str] | None = None) -> Path:
    """Where the home folder is, whether or not it exists.

    Raises:
        ConfigError: nothing says where: HOME is not set, and the system does not know the user. Or a relative name
            was given and the working folder is gone.
    """
    env = os.environ if environ is None else environ
    chosen = option or env.get("AGENTGUARD_HOME") or str(folder_of_user(env) / ".agentguard")
    try:
        return Path(chosen).expanduser().absolute()
    except RuntimeError:
        raise ConfigError(f"cannot tell whose folder {chosen} is; give its full path") from None
    except FileNotFoundError:
        raise ConfigError(_NO_FOLDER) from None


def home_option(home: Home) -> str:
    """` --home DIR`, quoted for a shell, for a verb that is told to the user; "" when it opens that folder without."""
    return "" if home_path(None) == home.root else f" --home {shlex.quote(str(home.root))}"


def folder_of_user(environ: Mapping[str, str] | None = None) -> Path:
    """HOME, else what the system knows of the user. An empty HOME is none: it would mean the root folder.

    Raises:
        ConfigError: neither says it.
    """
    named = (os.environ if environ is None else environ).get("HOME")
    if named:
        return Path(named)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise ConfigError("no home folder is known for this user; set HOME") from None


def working_folder() -> Path:
    """Where the command was started.

    Raises:
        ConfigError: the folder has been deleted.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ConfigError(_NO_FOLDER) from None


def open_home(path: Path) -> Home:
    """The home folder, made with mode 0700 when missing and narrowed to it when wider.

    Raises:
        ConfigError: it cannot be made, is not a folder, or belongs to someone else.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = path.stat()
        if info.st_uid != os.getuid():
            raise ConfigError(f"home folder {path} belongs to another user; choose one of yours with --home DIR")
        if stat.S_IMODE(info.st_mode) & 0o077:
            path.chmod(0o700)
        if not os.access(path, os.W_OK | os.X_OK):
            raise ConfigError(f"home folder {path} is not writable; choose another with --home DIR")
    except FileExistsError:
        raise ConfigError(f"home folder {path} is a file; choose a folder with --home DIR") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"cannot use home folder {path}: {reason}; choose another with --home DIR") from None
    return Home(path)


def _key(path: Path) -> bytes:
    try:
        return _read_key(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigError(f"cannot read key {path}: {error.strerror}") from None
    return _make_key(path)


def _read_key(path: Path) -> bytes:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"key {path} is damaged; restore it from a backup, or move it away to begin anew")
    return key


def _make_key(path: Path) -> bytes:
    """Two processes may start at once: write aside, link into place, and whoever was first wins."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES))
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
        return _read_key(path)
    except OSError as error:
        raise ConfigError(f"cannot write key {path}: {error.strerror or error}") from None
