"""Templates of credentials: examples without a scannable secret in them.

An example such as `ghp_{github-crc}` or `sk-proj-{base64url:74}T3BlbkFJ{base64url:74}` holds no secret and is
expanded to one at run time, the same each time. In braces stands a word, and for most a length:

| word | becomes |
|---|---|
| `{alnum:N}` `{lower:N}` `{upper:N}` `{digits:N}` | N of A-Za-z0-9, a-z0-9, A-Z0-9, 0-9 |
| `{letters:N}` `{hex:N}` `{base32:N}` `{base58:N}` | N of A-Za-z, of 0-9a-f, of A-Z2-7, of the alphabet of Bitcoin |
| `{base64:N}` `{base64url:N}` `{token:N}` | N of that alphabet, without padding; `token`: base64url with `.` and `~` |
| `{uuid}` | a UUID |
| `{bech32:N}` | N of the alphabet of age keys |
| `{x:N}` `{password}` `{dashes}` | a placeholder of N times `x`; the word password; five dashes |
| `{github-crc}` | 30 random characters and their CRC32 in base62 |
| `{grafana-crc}` | `_` and the CRC32 of all that stands before it in its word |
| `{jwt}` | a signed-looking JSON Web Token |
| `{words:N}` | N words of five letters, as random as can be |
| `{pem:N}` | N base64 characters that begin a DER sequence, in lines of 64 |
| `{pem-escaped:N}` | the same with `\\n` as two characters, as JSON holds it |
"""

from __future__ import annotations

import base64
import random
import re
import string
import uuid
from collections.abc import Callable

from agentguard.detect.checksum import crc32_base62, crc32_hex

_ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "lower": string.ascii_lowercase + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "digits": string.digits,
    "letters": string.ascii_letters,
    "hex": "0123456789abcdef",
    "base32": string.ascii_uppercase + "234567",
    "base58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "base64": string.ascii_letters + string.digits + "+/",
    "base64url": string.ascii_letters + string.digits + "-_",
    "token": string.ascii_letters + string.digits + "-_.~",
    "bech32": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}
_SLOT = re.compile(r"\{([a-z0-9-]+)(?::([0-9]{1,4}))?\}")
_LINE = 64


def expand(template: str, seed: str = "") -> str:
    """The example that a template stands for. Equal templates and seeds give equal text.

    Raises:
        ValueError: a word in braces is not known, or lacks its length.
    """
    source = random.Random(f"{seed}\0{template}")  # noqa: S311 (repeatable on purpose: these are no real keys)
    out: list[str] = []
    position = 0
    for slot in _SLOT.finditer(template):
        out.append(template[position : slot.start()])
        out.append(_fill(slot[1], int(slot[2] or 0), source, "".join(out)))
        position = slot.end()
    out.append(template[position:])
    return "".join(out)


def _fill(word: str, length: int, source: random.Random, before: str) -> str:
    if word in _ALPHABETS:
        if not length:
            raise ValueError(f"{{{word}}} needs a length: {{{word}:N}}")
        return _draw(_ALPHABETS[word], length, source)
    special = _SPECIAL.get(word)
    if special is None:
        raise ValueError(f"unknown template word {{{word}}}")
    return special(length, source, before)


def _draw(alphabet: str, length: int, source: random.Random) -> str:
    """Letters of the alphabet, no two equal ones in a row: a run of one letter reads as a placeholder.

    It begins and ends with a letter or digit, so that a neighbouring sign stays a border.
    """
    out: list[str] = []
    while len(out) < length:
        char = source.choice(alphabet)
        edge = len(out) in (0, length - 1)
        if (out and out[-1] == char) or (edge and not char.isalnum()):
            continue
        out.append(char)
    return "".join(out)


def _uuid(_length: int, source: random.Random, _before: str) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def _github_crc(_length: int, source: random.Random, _before: str) -> str:
    body = _draw(_ALPHABETS["alnum"], 30, source)
    return body + crc32_base62(body.encode()).decode()


def _grafana_crc(_length: int, _source: random.Random, before: str) -> str:
    word = re.split(r"[^A-Za-z0-9_]", before)[-1]
    return "_" + crc32_hex(word.encode()).decode()


def _words(length: int, source: random.Random, _before: str) -> str:
    return " ".join(_draw(string.ascii_lowercase, 5, source) for _ in range(length))


def _jwt(_length: int, source: random.Random, _before: str) -> str:
    subject = _draw(_ALPHABETS["digits"], 12, source)
    parts = ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{subject}","iat":1767225600}}')
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, _draw(_ALPHABETS["base64url"], 43, source)])


def _pem(length: int, source: random.Random, _before: str) -> str:
    body = "MIIE" + _draw(_ALPHABETS["base64"], max(length, 8) // 4 * 4 - 4, source)
    return "\n".join(body[at : at + _LINE] for at in range(0, len(body), _LINE))


def _pem_escaped(length: int, source: random.Random, before: str) -> str:
    return _pem(length, source, before).replace("\n", "\\n")


_SPECIAL: dict[str, Callable[[int, random.Random, str], str]] = {
    "uuid": _uuid,
    "github-crc": _github_crc,
    "grafana-crc": _grafana_crc,
    "jwt": _jwt,
    "words": _words,
    "pem": _pem,
    "pem-escaped": _pem_escaped,
    "x": lambda length, _source, _before: "x" * length,
    "password": lambda _length, _source, _before: "password",
    "dashes": lambda _length, _source, _before: "-----",
}
