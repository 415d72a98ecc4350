"""Logins without a name: in URLs, headers and command lines; private keys as code holds them; hashes of passwords."""

from __future__ import annotations

import base64

import pytest
from test_detect_assignments import found, scanner

from agentguard.detect.checksum import canonical
from agentguard.detect.templates import expand

PASSWORD = expand("{alnum:14}", "a login")
TOKEN = expand("{alnum:36}", "a header")
BASIC = base64.b64encode(f"deploy:{PASSWORD}".encode()).decode()
LOGINS = {
    f"ftp://deploy:{PASSWORD}@files.shop.io/in": PASSWORD,
    f"curl -s -u deploy:{PASSWORD} https://shop.io/": PASSWORD,
    f'curl -s \\\n  --user "deploy:{PASSWORD}" https://shop.io/': PASSWORD,
    f"mysql -u root -p{PASSWORD} shop": PASSWORD,
    f"sshpass -p '{PASSWORD}' ssh deploy@10.0.0.4": PASSWORD,
    f"docker login -u deploy -p {PASSWORD} images.shop.io": PASSWORD,
    f"Authorization: Bearer {TOKEN}": TOKEN,
    f'{{"authorization": "Token {TOKEN}"}}': TOKEN,
    f"Authorization: Basic {BASIC}": BASIC,
    f"PGPASSWORD={PASSWORD} psql -h db": PASSWORD,
}
QUIET = [
    "http://user:password@proxy.example.com:3128",
    "https://${USER}:${PASSWORD}@shop.io/",
    "http://shop.io:8080/list@2",
    "git@code.shop.io:team/app.git",
    "Authorization: Bearer <token>",
    "Authorization: Bearer access_token",
    "Authorization: Basic " + base64.b64encode(b"user:password").decode(),
    "Bearer authentication1 is described in section2",
    "curl -u user:password https://shop.io/",
    'curl -u "$USER:$PASSWORD" https://shop.io/',
    "docker run -p 8080:8080 -u 1000:1000 shop",
    "mysql -u root -p shop < dump2.sql",
    "zip -r -9 -u archive2.zip folder1",
    "root:$6$salt$tooshort",
]


@pytest.mark.parametrize(("text", "secret"), LOGINS.items())
def test_a_login_is_found_without_a_name(text: str, secret: str) -> None:
    assert found(text) == [secret]


@pytest.mark.parametrize("text", QUIET)
def test_what_is_no_login_stays_quiet(text: str) -> None:
    assert found(text) == []


def test_a_hash_of_a_password_is_told_and_a_digest_is_not() -> None:
    line = expand("root:$6${alnum:16}${alnum:86}:19000:0:99999:7:::", "shadow")
    assert [one.type.id for one in scanner().locate(line.encode())] == ["password-hash"]
    assert not found(expand("{hex:64}  app.tar.gz", "digest"))


@pytest.mark.parametrize(
    "join", ["\n", "\\n", "\n    ", "\\n' +\n  '", '\\n"\n  "', "\n# ", "\n// ", "',\n  '", "\\n'\n b'"]
)
def test_a_private_key_is_one_however_code_breaks_its_lines(join: str) -> None:
    body = expand("{pem:320}", "key").split("\n")
    dashes = "-" * 5
    text = join.join([f"{dashes}BEGIN RSA PRIVATE KEY{dashes}", *body, f"{dashes}END RSA PRIVATE KEY{dashes}"])
    (one,) = scanner().locate(f"key = '{text}'".encode())
    assert one.type.id == "pem-private-key"
    assert one.value == canonical("pem", "".join(body).encode())
    assert one.checksum_valid
