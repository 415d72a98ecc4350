"""What an agent's traffic is full of and is no secret stays quiet in every view, and is not said to be unreadable."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import sysconfig
import uuid
from pathlib import Path

import pytest
from detect_support import scanner
from value_support import made_up, secret_value
from value_support import scanner_with as scanner_over

from agentguard.detect.value_index import ValueIndex

SOURCE = random.Random(20)
INDEX = ValueIndex()
INDEX.add([secret_value(made_up(8 + seed % 40, seed, "_-")) for seed in range(300)])


def digest(seed: int, kind: str = "sha256") -> bytes:
    return hashlib.new(kind, str(seed).encode()).digest()


def png(size: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + SOURCE.randbytes(size)


def library() -> str:
    names = ("argparse.py", "ast.py", "base64.py", "json/decoder.py", "ssl.py", "uuid.py")
    return "\n".join((Path(sysconfig.get_path("stdlib")) / name).read_text() for name in names)


LOOKALIKES = {
    "container ids": "\n".join(f"{digest(at).hex()[:12]}  {digest(at).hex()}" for at in range(200)),
    "git hashes": "\n".join(f"commit {digest(at, 'sha1').hex()}\nindex {digest(at).hex()[:7]}" for at in range(200)),
    "pieces of hashes": json.dumps([digest(at, "sha1").hex()[:8] for at in range(400)]),
    "lock file": "\n".join(
        f'"node_modules/p{at}": {{"integrity": "sha512-{base64.b64encode(digest(at, "sha512")).decode()}"}},'
        for at in range(200)
    ),
    "identifiers": json.dumps([{"id": str(uuid.UUID(bytes=digest(at)[:16])), "index": at} for at in range(200)]),
    "tool calls": json.dumps([{"tool_use_id": f"toolu_01{made_up(22, at)}", "type": "tool_use"} for at in range(200)]),
    "base64 image": json.dumps({"url": "data:image/png;base64," + base64.b64encode(png(60_000)).decode()}),
    "wrapped base64 image": base64.encodebytes(png(40_000)).decode(),
    "numbers": json.dumps({"embedding": [SOURCE.randrange(256) for _ in range(4000)]}),
    "tokens": json.dumps([SOURCE.randrange(32, 127) for _ in range(4000)]),
    "bundle": ";".join(
        f'var {made_up(2, at)}="{made_up(3, at)}"+{made_up(2, at)}+"{made_up(5, at)}"' for at in range(900)
    ),
    "source code": library(),
    "deltas": "".join(
        f'data: {{"index":0,"delta":{{"text":{json.dumps(word + " ")}}}}}\n\n' for word in library().split()[:4000]
    ),
}


@pytest.mark.parametrize("echoed", [False, True], ids=["plain", "in JSON"])
@pytest.mark.parametrize("name", LOOKALIKES)
def test_quiet(name: str, echoed: bool) -> None:
    text = LOOKALIKES[name]
    body = (json.dumps({"messages": [{"role": "user", "content": text}]}) if echoed else text).encode()
    for one in (scanner(), scanner_over(INDEX)):
        scan = one.scan_body(body, content_type="application/json")
        assert ([match.type for match in scan.matches], scan.opaque) == ([], "")
