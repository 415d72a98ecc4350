"""Whether a variable's name says that it holds a secret, and whose."""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SECRET = frozenset(
    """
    password passwd passphrase passcode pwd pw pass secret secrets token tokens key keys apikey credential credentials
    creds cred auth authorization bearer jwt cookie salt pepper psk pat dsn pin signature otp seed mnemonic private
    """.split()  # noqa: SIM905 (a list of words reads best as words)
)
_SECRET_ENDING = re.compile(r"(?:password|passwd|passphrase|secret|token|apikey|accesskey|secretkey|privatekey|pass)$")
_NOT_A_SECRET = frozenset(
    """
    url uri host hostname port name id ids path file filename dir directory folder type length len min max size ttl
    expiry expires expiration exp expire timeout policy algorithm alg version enabled enable required count limit limits
    endpoint region format header prefix suffix field rotation days hours minutes seconds age hint user username email
    arn status location provider method issuer audience scope scopes sock socket mode interval at created updated date
    time label title description domain server program command cmd helper lookup set map list index order usage
    """.split()  # noqa: SIM905 (a list of words reads best as words)
)
_PUBLIC = frozenset({"public", "publishable", "pub", "pubkey", "publickey"})
_HASH = frozenset(
    "sha sha1 sha256 sha512 md5 commit hash digest checksum revision rev version build etag integrity ref tag".split()  # noqa: SIM905
)

_ISSUERS = (
    (re.compile(r"(?i)^aws_(secret_access_key|session_token|security_token|access_key_id)$"), ("amazonaws.com",)),
    (re.compile(r"(?i)^azure_client_secret$"), ("login.microsoftonline.com",)),
)


@lru_cache(maxsize=4096)
def says_secret(name: str) -> bool:
    """`DB_PASSWORD`, `apiKey`, `client-secret`; not `KEY_ID`, `TOKEN_URL`, `PUBLIC_KEY`."""
    parts = _parts(name)
    if not parts or parts[-1] in _NOT_A_SECRET or _PUBLIC.intersection(parts):
        return False
    return any(part in _SECRET or _SECRET_ENDING.search(part) for part in parts)


@lru_cache(maxsize=4096)
def says_public(name: str) -> bool:
    """`PUBLIC_KEY`, `NEXT_PUBLIC_ID`: made to be published."""
    return bool(_PUBLIC.intersection(_parts(name)))


@lru_cache(maxsize=4096)
def says_hash(name: str) -> bool:
    """`GIT_SHA`, `integrity`: hexadecimal there is no secret."""
    return bool(_HASH.intersection(_parts(name)))


@lru_cache(maxsize=4096)
def says_other(name: str) -> bool:
    """`COMMIT_SHA`, `account_id`, `keyUrl`: what stands there is something else than a secret."""
    parts = _parts(name)
    if not parts or parts[-1] in _SECRET:
        return False
    return parts[-1] in _NOT_A_SECRET or bool(_HASH.intersection(parts))


def issuer_of(name: str) -> tuple[str, ...]:
    """Hosts that a secret of this well-known name is for, when its form does not tell."""
    for pattern, hosts in _ISSUERS:
        if pattern.match(name):
            return hosts
    return ()


def _parts(name: str) -> list[str]:
    parts = [part.lower() for part in _PARTS.findall(name[-128:])]
    while len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    return parts
