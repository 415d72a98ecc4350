"""The webhook, against a real server that checks the signature as a receiver would."""

from __future__ import annotations

import base64
import hmac
import http.server
import json
import os
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notify_builders import note, program

from agentguard.demo.certificates import Authority
from agentguard.show.notify.channels import webhook
from agentguard.show.notify.channels.interface import ChannelError
from agentguard.show.notify.channels.signing import signing_key
from agentguard.show.notify.settings import Channel, Kind


class Receiver:
    """Answers as it is told, one status a request, and keeps what came."""

    def __init__(self, answers: list[Any], context: ssl.SSLContext | None = None) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = answers.pop(0) if answers else 204
                if callable(answer):
                    answer(self)
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receive() -> Iterator[Any]:
    made: list[Receiver] = []

    def make(*answers: Any, context: ssl.SSLContext | None = None) -> Receiver:
        made.append(Receiver(list(answers), context))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


def hook(url: str, **changes: Any) -> Channel:
    return Channel(name="team", kind=Kind.WEBHOOK, url=url, **changes)


def send(channel: Channel, environ: dict[str, str] | None = None, pauses: list[float] | None = None) -> str:
    kept = [] if pauses is None else pauses
    return webhook.deliver(channel, note(), environ or {}, sleep=kept.append)


def test_the_receiver_can_check_who_sent_it(receive: Any, tmp_path: Path) -> None:
    """By the words of the standard: HMAC-SHA256 over id, time and body."""
    key = secrets.token_bytes(32)
    file = tmp_path / "secret"
    file.write_text(f"whsec_{base64.b64encode(key).decode()}\n")
    file.chmod(0o600)
    receiver = receive()
    said = send(hook(f"http://127.0.0.1:{receiver.port}/in?x=1", secret=f"file:{file}"))
    assert said == "127.0.0.1 answered 204"
    ((headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert json.loads(body) == note().body
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("AgentGuard/")


def test_without_a_secret_it_is_not_signed(receive: Any) -> None:
    receiver = receive()
    send(hook(f"http://localhost:{receiver.port}/"))
    assert "webhook-signature" not in receiver.got[0][0]


def test_what_may_pass_is_tried_again_with_pauses_and_a_fresh_time(receive: Any, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("k" * 40)
    file.chmod(0o600)
    receiver = receive(503, (429, {"Retry-After": "7"}), 200)
    pauses: list[float] = []
    times = iter((1000.0, 2000.0, 3000.0))
    channel = hook(f"http://127.0.0.1:{receiver.port}/", secret=f"file:{file}")
    said = webhook.deliver(channel, note(), {}, sleep=pauses.append, clock=lambda: next(times))
    assert said.endswith("answered 200")
    assert 1 <= pauses[0] <= 1.25
    assert 7 <= pauses[1] <= 8.75
    assert [headers["webhook-timestamp"] for headers, _ in receiver.got] == ["1000", "2000", "3000"]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1, "the receiver knows them for the same"


def test_tries_and_pauses_are_bounded(receive: Any) -> None:
    receiver = receive(*[(503, {"Retry-After": "99999"})] * 9)
    pauses: list[float] = []
    with pytest.raises(ChannelError, match=r"answered 503 Service Unavailable \(tried 3 times\)"):
        send(hook(f"http://127.0.0.1:{receiver.port}/"), pauses=pauses)
    assert len(receiver.got) == 3
    assert pauses == [15.0, 15.0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (401, "127.0.0.1 answered 401 Unauthorized; the receiver refuses the signature or the address"),
        (400, "127.0.0.1 answered 400 Bad Request"),
        ((302, {"Location": "http://127.0.0.1:1/"}), "answered 302 Found; redirects are not followed"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(receive: Any, answer: Any, said: str) -> None:
    receiver = receive(answer)
    with pytest.raises(ChannelError) as caught:
        send(hook(f"http://127.0.0.1:{receiver.port}/"))
    assert said in str(caught.value)
    assert len(receiver.got) == 1


def trickle(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A byte now and then: each by itself is in time."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.1)
    except OSError:
        pass
    handler.close_connection = True


def hang_up(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def babble(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x1b]0;owned\x07 not http at all\r\n\r\n")
    handler.close_connection = True


def test_a_server_that_trickles_is_cut_off(receive: Any) -> None:
    receiver = receive(trickle, trickle, trickle)
    began = time.monotonic()
    with pytest.raises(ChannelError, match=r"tried 3 times"):
        send(hook(f"http://127.0.0.1:{receiver.port}/", timeout_seconds=0.3))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("behaviour", "said"), [(hang_up, "the connection was cut"), (babble, "the answer was not HTTP")]
)
def test_a_broken_server_is_told_in_our_own_words(receive: Any, behaviour: Any, said: str) -> None:
    receiver = receive(*[behaviour] * 3)
    with pytest.raises(ChannelError) as caught:
        send(hook(f"http://127.0.0.1:{receiver.port}/"))
    assert str(caught.value) == f"{said} (tried 3 times)"


def test_nobody_listens(receive: Any) -> None:
    receiver = receive()
    receiver.close()
    with pytest.raises(ChannelError, match=r"Connection refused \(tried 3 times\)"):
        send(hook(f"http://127.0.0.1:{receiver.port}/"))


def test_no_proxy_of_the_environment_is_used(receive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a session it would be our own."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert send(hook(f"http://127.0.0.1:{receive().port}/")).endswith("204")


def test_a_certificate_is_verified(receive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority("tests")
    receiver = receive(context=authority.server_context(["localhost"]))
    channel = hook(f"https://localhost:{receiver.port}/")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(ChannelError, match="the server's certificate is not valid"):
        send(channel)
    assert receiver.got == []
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert send(channel) == "localhost answered 204"
    with pytest.raises(ChannelError, match="the server's certificate is not valid"):
        send(hook(f"https://127.0.0.1:{receiver.port}/"))


# --- the secret -------------------------------------------------------------------------------------


def test_a_secret_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("k" * 40)
    for mode in (0o640, 0o604, 0o660):
        file.chmod(mode)
        with pytest.raises(ChannelError, match=f"others can read the signing secret .*chmod 600 {file}"):
            signing_key(f"file:{file}", {})
    file.chmod(0o400)
    assert signing_key(f"file:{file}", {}) == b"k" * 40


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hunter2", "too short; make one of 24 bytes"),
        ("whsec_" + "é" * 40, "is not base64"),
        ("whsec_" + "!" * 40, "is not base64"),
        ("whsec_" + base64.b64encode(b"x" * 10).decode(), "too short"),
        ("", "too short"),
    ],
)
def test_a_bad_secret_is_refused_and_not_quoted(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ChannelError, match=said) as caught:
        signing_key(f"file:{file}", {})
    assert not text or text not in str(caught.value)


def test_a_secret_must_be_a_file_of_text(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="cannot be read: No such file"):
        signing_key(f"file:{tmp_path}/absent", {})
    os.mkfifo(tmp_path / "fifo", 0o600)
    with pytest.raises(ChannelError, match="must be a regular file"):
        signing_key(f"file:{tmp_path}/fifo", {})
    (tmp_path / "bytes").write_bytes(b"\xff" * 40)
    (tmp_path / "bytes").chmod(0o600)
    with pytest.raises(ChannelError, match="is not text"):
        signing_key(f"file:{tmp_path}/bytes", {})


def test_home_is_the_users_own(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("k" * 40)
    file.chmod(0o600)
    assert signing_key("file:~/secret", {"HOME": str(tmp_path)}) == b"k" * 40


def test_a_secret_of_the_keyring_is_asked_for_by_its_name_alone(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    script = f"import sys; open({str(asked)!r}, 'w').write(' '.join(sys.argv[1:])); print('k' * 40)"
    environ = program(tmp_path / "bin", "secret-tool", script)
    assert signing_key("keyring:agentguard/webhook", environ) == b"k" * 40
    assert asked.read_text() == "lookup service agentguard account webhook"
    program(tmp_path / "bin", "secret-tool", "import sys; sys.exit(1)")
    with pytest.raises(
        ChannelError, match=r"the keyring has no secret for agentguard/webhook \(secret-tool: exit status 1"
    ):
        signing_key("keyring:agentguard/webhook", environ)
