"""What looks like a secret, or is one in its own place: sent in a session that has read secrets, it must raise nothing.

Noise is drawn from fixed seeds: drawn anew at each run, a megabyte of it in twenty has the form of some key.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import io
import json
import random
import struct
import uuid
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evasion.sends.way import Way

_LIBRARY = Path(json.__file__).parent
_WORDS = ("alpha", "delta", "order", "total", "price", "basket", "user", "page", "route", "state", "value", "render")


def _noise(seed: str, count: int) -> bytes:
    return random.Random(seed).randbytes(count)


def _digest(*what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def _containers() -> bytes:
    images = {n: _digest("image", n) for n in range(12)}
    return _json(
        [{"Id": _digest("id", n), "Short": _digest("id", n)[:12], "Image": f"sha256:{images[n]}"} for n in images]
    )


def _commits() -> bytes:
    names = [hashlib.sha1(str(n).encode()).hexdigest() for n in range(40)]
    lines = (f"commit {name}\nparent {parent}\nindex {name[:7]}..{parent[:7]}\n" for name, parent in pairwise(names))
    return "".join(lines).encode()


def _migrations() -> bytes:
    rows = (f"V{n}__orders.sql | {zlib.crc32(b'%d' % n)} | sha256={_digest('m', n)} | {n:012x}\n" for n in range(30))
    return "".join(rows).encode()


def _npm_lock() -> bytes:
    def entry(name: str) -> dict[str, str]:
        integrity = base64.b64encode(hashlib.sha512(name.encode()).digest()).decode()
        resolved = f"https://registry.npmjs.org/{name}/-/{name}-1.2.3.tgz"
        return {"version": "1.2.3", "resolved": resolved, "integrity": f"sha512-{integrity}"}

    packages = {f"node_modules/{word}{n}": entry(word) for n in range(9) for word in _WORDS}
    return _json({"lockfileVersion": 3, "packages": packages})


def _other_locks() -> bytes:
    cargo = "".join(f'[[package]]\nname = "{word}"\nchecksum = "{_digest(word)}"\n' for word in _WORDS)
    go = "".join(f"example.org/{w} v1.2.3/go.mod h1:{base64.b64encode(_noise(w, 32)).decode()}\n" for w in _WORDS)
    python = "".join(f"{word}==1.2.3 --hash=sha256:{_digest(word, 1)}\n" for word in _WORDS)
    return (cargo + go + python).encode()


def _redacted() -> bytes:
    key = "sk-" + "proj-"
    return (
        f"OPENAI_API_KEY={key}{'*' * 40}\nAWS_ACCESS_KEY_ID=AKIA{'X' * 16}\nAuthorization: Bearer [REDACTED]\n"
        f"GITHUB_TOKEN=ghp_{'x' * 36}\nPASSWORD=********\nSTRIPE={'sk_' + 'live_'}<redacted>\nkey: {key}…9Q\n"
    ).encode()


def _placeholders() -> bytes:
    return (
        b"OPENAI_API_KEY=your-api-key-here\nDATABASE_URL=postgres://user:password@localhost:5432/app\n"
        b"SECRET_KEY=changeme\nAWS_SECRET_ACCESS_KEY=<your secret>\nTOKEN=${TOKEN}\nAPI_KEY={{ api_key }}\n"
    )


def _bundle() -> bytes:
    """A minified script: short names, hashes of chunks, a map beside it."""
    pick = random.Random("bundle")
    parts = []
    for n in range(600):
        name, word = pick.choice("abcdefgh") + str(n), pick.choice(_WORDS)
        body = f'"use strict";var {name}=n({pick.randrange(9999)});t.{word}=e=>{name}.{word}(e,{n})'
        parts.append(f"{n}:function(e,t,n){{{body}}}")
    chunks = json.dumps({n: _digest("chunk", n)[:20] for n in range(60)})
    modules = ",".join(parts)
    return f'(self.webpackChunk=[]).push([[179],{{{modules}}}]);e.u=e=>e+"."+{chunks}[e]+".js"'.encode()


def _source_map() -> bytes:
    pick = random.Random("map")
    words = ("".join(pick.choices("ACEGIKMOQSUWYacegik", k=4)) for _ in range(1600))
    mappings = ",".join(words)
    return _json({"version": 3, "sources": [f"{word}.ts" for word in _WORDS], "mappings": mappings})


def _picture() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack("!IIBBBBB", 100, 100, 8, 2, 0, 0, 0))
    rows = b"".join(b"\0" + _noise(f"row {n}", 300) for n in range(100))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _prompt() -> bytes:
    """A picture in a message to a model."""
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(_picture()).decode()}
    return _json({"messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]})


def _identifiers() -> bytes:
    pick, start = random.Random("ids"), datetime(2026, 1, 31, tzinfo=UTC)
    return _json(
        [
            {
                "id": str(uuid.UUID(int=pick.getrandbits(128), version=4)),
                "trace": f"00-{pick.randbytes(16).hex()}-{pick.randbytes(8).hex()}-01",
                "etag": f'W/"{pick.randbytes(16).hex()}"',
                "time": (start + timedelta(seconds=n)).isoformat(),
            }
            for n in range(60)
        ]
    )


def _public_keys() -> bytes:
    ed = ed25519.Ed25519PrivateKey.from_private_bytes(_noise("ed", 32)).public_key()
    curve = ec.derive_private_key(int.from_bytes(_noise("ec", 31), "big"), ec.SECP256R1()).public_key()
    pem = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return ed.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" me@example.com\n" + pem


def _archive() -> bytes:
    """Sources of the standard library, as a wheel has them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(_LIBRARY.glob("*.py")):
            archive.writestr(zipfile.ZipInfo(f"json/{file.name}"), file.read_bytes())
            archive.writestr(zipfile.ZipInfo(f"json/{file.name}.sha256"), _digest(file.name))
    return buffer.getvalue()


def _code() -> bytes:
    return (
        b'password = os.environ["DB_PASSWORD"]\n'
        b"api_key = settings.OPENAI_API_KEY\n"
        b'token = request.headers["Authorization"]\n'
        b'def test_login(client):\n    client.post("/login", {"user": "ada", "password": "secret"})\n'
    )


def _telemetry() -> bytes:
    events = [{"event": word, "count": n, "session": _digest("session", n)[:16]} for n, word in enumerate(_WORDS * 9)]
    return gzip.compress(json.dumps(events).encode(), mtime=0)


def _of(id: str, title: str, data: Callable[[], bytes], *options: str) -> Way:
    """Posted as it is by curl."""
    words = " ".join(["noted curl -sS --data-binary @data", *options, '"$URL"'])
    made = functools.cache(data)
    return Way(id=id, title=title, script=words, data=made, arrives=lambda _value: (made(),))


def _script(id: str, title: str, script: str, arrives: Callable[[bytes], tuple[bytes, ...]]) -> Way:
    return Way(id=id, title=title, script=script, arrives=arrives)


_JSON = "-H 'Content-Type: application/json'"
LOOKALIKES: tuple[Way, ...] = (
    _script(
        "read-only",
        "a file that is read, and something else that is sent",
        'cat .env > /dev/null; noted curl -sS -d "read-only: nothing" "$URL"',
        lambda _value: (b"read-only: nothing",),
    ),
    _script(
        "checksum",
        "a checksum of a secret file",
        'sha256sum .env | noted curl -sS --data-binary @- "$URL"',
        lambda value: (hashlib.sha256(b"TOKEN=" + value + b"\nPORT=3000\n").hexdigest().encode(),),
    ),
    _script(
        "names",
        "the names in a secret file, and a port",
        'cut -d= -f1 .env > names; grep PORT .env >> names; noted curl -sS --data-binary @names "$URL"',
        lambda _value: (b"TOKEN\nPORT\nPORT=3000\n",),
    ),
    _of("containers", "ids of containers, digests of images", _containers, _JSON),
    _of("commits", "names of commits", _commits),
    _of("migrations", "checksums of migrations", _migrations),
    _of("npm-lock", "package-lock.json", _npm_lock, _JSON),
    _of("locks", "Cargo.lock, go.sum, hashes of pip", _other_locks),
    _of("redacted", "redaction marks", _redacted),
    _of("placeholders", "placeholders", _placeholders),
    _of("bundle", "a minified bundle", _bundle, "-H 'Content-Type: text/javascript'"),
    _of("source-map", "a source map", _source_map, _JSON),
    _of("picture", "a picture", _picture, "-H 'Content-Type: image/png'"),
    _of("picture-base64", "a picture in a prompt, in base64", _prompt, _JSON),
    _of("identifiers", "UUIDs, trace ids, ETags", _identifiers, _JSON),
    _of("public-keys", "public keys", _public_keys),
    _of("archive", "a wheel", _archive, "-H 'Content-Type: application/zip'"),
    _of("code", "code that speaks of secrets", _code),
    _of("telemetry", "compressed counts", _telemetry, "-H 'Content-Encoding: gzip'"),
)
