"""What the name of a variable promises of its value: a password, a secret, perhaps a key, nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from agentguard.detect.names import says_public

_LONGEST_NAME = 48
_IN_NAME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$-"
_FORWARDS = re.compile(rb"[A-Za-z0-9_.-]*")
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class Name:
    """What is assigned to, whole: `self.db_password`, `--token`."""

    text: str
    start: int
    """Offset in the bytes."""
    end: int


class Promise(IntEnum):
    """The more it promises, the less rare the value must be."""

    NOTHING = 0
    KEY = 1
    """`key`, `salt`, `session`: a secret only if it looks like nothing else."""
    ISSUED = 2
    """The name of a service alone: what it issues is random too, or of hexadecimal digits."""
    SECRET = 3
    """`client_secret`, `api_key`, `token`: made by a machine."""
    PASSWORD = 4
    """Chosen by a person, perhaps."""


_PASSWORDS = frozenset(
    """
    password passwords passwd passphrase passcode passwort pass pwd pswd psw pw pword userpass dbpass mypass rootpass
    sshpass adminpass ftppass senha contrasena contraseña kennwort userpw dbpw identified securestring requirepass
    masterauth    smtppass mailpass authpass keypass storepass
    """.split()  # noqa: SIM905 (a list of words reads best as words)
)
_PASSWORD_WITHIN = re.compile(r"passw(?:or)?d|passphrase|passcode|pwd$|passwort")
_SECRETS = frozenset(
    """
    secret secrets token tokens apikey apikeys credential credentials creds cred psk pat bearer apitoken apisecret
    accesskey accesstoken authtoken secretkey privatekey authkey masterkey signingkey clientsecret appsecret appkey
    sharedkey accountkey sharedaccesskey encryptionkey licensekey servicekey authorization salt pepper nonce
    """.split()  # noqa: SIM905
)
_SECRET_WITHIN = re.compile(r"(?:secret|token|apikey|accesskey|secretkey|privatekey|secretaccesskey)$")
_OWNERS_OF_KEYS = frozenset(
    """
    api access secret private encryption encrypt decryption signing sign signature auth authorization authentication
    account master license licence ssh shared service client consumer session webhook jwt hmac crypto cipher aes des rsa
    crypt storage subscription app application admin server security integration user project deploy host function write
    read dev prod production live management provisioning ingest publish customer partner merchant developer instance
    preshared
    """.split()  # noqa: SIM905
)
_KEYS = frozenset(
    """
    key keys auth cookie login session sessionid sid signature seed otp totp mnemonic jwt csrf xsrf private
    dsn webhook hmac authenticity
    """.split()  # noqa: SIM905
)
_ABOUT = frozenset(
    """
    url uri urls host hostname port name names id ids path paths file files filename dir directory folder type types
    length len min max size ttl expiry expires expiration exp expire timeout policy algorithm alg version enabled enable
    required count limit limits endpoint region format header headers prefix suffix field fields rotation days hours
    minutes seconds age hint user username email arn status location provider method issuer audience scope scopes sock
    socket mode interval at created updated date time label title description domain server program command cmd helper
    lookup set map list index order usage error errors message messages msg text placeholder input form page link
    button icon column regex pattern class selector element tag group kind context factory manager handler service
    generator validator strength reset forgot changed change confirm-text template env var variable param parameter
    params option options config settings store storage source ref refs alias description desc help info event state
    action callback hook function func filter rule rules check test parser reader writer stream buffer pair mapping
    code codes symbol word words char chars character characters position pos offset range ring board press down up
    code namespace uuid guid num number fingerprint thumbprint sha sha1 sha256 md5 checksum digest hash hashes hashed
    budget balance price usd cost address contract mint supply embedding ids spec exists missing valid invalid
    encode decode encrypt decrypt get strip split startswith endswith format join replace upper lower append pop
    compare equals verify validate contains includes has is
    attempts cache model models bytes bits per based encryption encoding encoder property properties schema serializer
    """.split()  # noqa: SIM905
)
_OTHER = frozenset(
    """
    next request change continuation page sync update idempotency cancellation action marker cursor cache primary
    foreign partition sort row map translation index object hash group route query lookup registry shortcut hot event
    dict json s3 bucket unique composite range search menu message resource feature attribute i18n known
    """.split()  # noqa: SIM905
)
"""A token of these names is a place in a list or the number of a request, a key that of an entry."""
_NO_PASS = re.compile(r"(?:by|buy|com|tres|encom|sur|over|under|one|multi|low|high|band|first|second|test|all)pass$")


@lru_cache(maxsize=1 << 14)
def promise_of(name: str) -> Promise:
    """`DB_PASSWORD`: a password; `apiKey`, `client-secret`: a secret; `key`, `salt`: a key; `TOKEN_URL`: nothing."""
    parts = _parts_of(name)
    if parts == ["convert", "to", "secure"]:  # PowerShell's -SecureString
        return Promise.PASSWORD
    if _is_other(name, parts):
        return Promise.NOTHING
    joined = "".join(parts)
    last = parts[-1]
    if _PASSWORDS.intersection(parts) or _PASSWORD_WITHIN.search(joined):
        return Promise.PASSWORD
    if last.endswith("pass") and not _NO_PASS.search(joined):
        return Promise.PASSWORD
    if _SECRETS.intersection(parts) or _SECRET_WITHIN.search(joined):
        return Promise.SECRET
    if last in ("key", "keys") and _OWNERS_OF_KEYS.intersection(parts[:-1]):
        return Promise.SECRET
    return Promise.KEY if _KEYS.intersection(parts) or last.endswith("key") else Promise.NOTHING


def promise_of_service(name: str) -> Promise:
    """Of a name that holds a service's: `clearbit`, `clearbit_key`; of `clearbit_url` nothing."""
    return Promise.NOTHING if _is_other(name, _parts_of(name)) else max(promise_of(name), Promise.ISSUED)


def _parts_of(name: str) -> list[str]:
    parts = [part.lower() for part in _PARTS.findall(name)]
    while len(parts) > 1 and (parts[-1].isdigit() or parts[-1] in ("value", "string", "str", "here", "default")):
        parts.pop()
    return parts


def _is_other(name: str, parts: list[str]) -> bool:
    """Of what is about a secret, of what is published, and of places in lists."""
    if name.endswith((".", "-")) or not parts or parts[-1] in _ABOUT or says_public(name):
        return True
    return parts[-1] in ("token", "tokens", "key", "keys") and bool(_OTHER.intersection(parts[-2:-1]))


def name_around(data: bytes, keyword: int, said: re.Pattern[bytes] | None = None) -> Name:
    """The whole name that holds the keyword at this offset, and what `said` matches behind it."""
    start, end = _span_around(data, keyword)
    more = said.match(data, end) if said is not None else None
    end = more.end() if more else end
    return Name(data[start:end].decode("latin-1"), start, end)


def promise_at(data: bytes, keyword: int) -> Promise:
    """What the name promises that holds the keyword at this offset."""
    start, end = _span_around(data, keyword)
    return promise_of(data[start:end].decode("latin-1"))


def _span_around(data: bytes, keyword: int) -> tuple[int, int]:
    before = data[max(0, keyword - _LONGEST_NAME) : keyword]
    after = _FORWARDS.match(data, keyword)
    return keyword - len(before) + len(before.rstrip(_IN_NAME)), after.end() if after else keyword
