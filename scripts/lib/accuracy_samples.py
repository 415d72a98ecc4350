"""Samples of code and configuration with a secret in them, and of what looks like one. Made up, the same each time.

They are written from how people write code, not from the patterns: `accuracy_forms` holds the ways of writing, as text.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from accuracy_forms import ASSIGNED, HARMLESS, KEY_NAMES, LOGINS, PASSWORD_NAMES, STAND_INS, UNNAMED_HARMLESS, WORDS
from accuracy_lookalikes import GIVEN, LOOKALIKES

from agentguard.detect.rules import CredentialType
from agentguard.detect.templates import expand

_SIGNS = "!@#$%^&*?+="
_ALNUM = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Sample:
    """A snippet, and what is to be said of it."""

    text: str
    secret: bool
    kind: str
    """`type:ID`, `assigned:password`, `login`, `harmless:FORM`."""


def samples(types: tuple[CredentialType, ...]) -> list[Sample]:
    """All of them."""
    source = random.Random(5)  # noqa: S311 (the same each time)
    made = [*_of_types(types), *_assigned(source), *_logins(source), *_harmless(source)]
    return list({sample.text: sample for sample in made}.values())


def _of_types(types: tuple[CredentialType, ...]) -> Iterator[Sample]:
    """Every type's example, in every kind of file."""
    for kind in types:
        if kind.public or kind.filter:
            continue
        for number, (place, put) in enumerate(PLACES.items()):
            example = expand(kind.examples.match[number % len(kind.examples.match)], f"{kind.id} in {place}")
            yield Sample(put(example), True, f"type:{kind.id}")


def _assigned(source: random.Random) -> Iterator[Sample]:
    for form in ASSIGNED:
        for names, value, kind in (
            (PASSWORD_NAMES, _chosen(source), "password"),
            (PASSWORD_NAMES, _chosen(source), "password"),
            (PASSWORD_NAMES, _generated(source), "password"),
            (KEY_NAMES, _machine(source), "key"),
            (KEY_NAMES, _machine(source), "key"),
            (KEY_NAMES, _machine(source), "key"),
        ):
            yield Sample(_fill(form, source.choice(names), value), True, f"assigned:{kind}")


def _logins(source: random.Random) -> Iterator[Sample]:
    for form in LOGINS:
        for value in (_chosen(source), _generated(source), _draw(source, _ALNUM, 12)):
            basic = base64.b64encode(f"deploy:{value}".encode()).decode()
            token = _machine(source)
            text = form.replace("VALUE", _url_safe(value)).replace("BASIC", basic).replace("TOKEN", token)
            yield Sample(text, True, "login")

    for form in GIVEN:
        for value in (_chosen(source), _generated(source)):
            plain, token = _draw(source, _ALNUM, 12), _draw(source, _ALNUM, source.choice((20, 32)))
            text = form.replace("VALUE", value).replace("PLAIN", plain).replace("TOKEN", token)
            yield Sample(text, True, "given")


def _harmless(source: random.Random) -> Iterator[Sample]:
    for name in (*PASSWORD_NAMES[:12], *KEY_NAMES[:12]):
        for value in source.sample(STAND_INS, 12):
            form = source.choice(ASSIGNED)
            yield Sample(_fill(form, name, value), False, "harmless:stand-in")
    for text in HARMLESS:
        for name in source.sample((*PASSWORD_NAMES, *KEY_NAMES), 3):
            yield Sample(text.replace("NAME", name).replace("HEX40", _hex(source, 40)), False, "harmless:code")
    for text in LOOKALIKES:
        yield Sample(text, False, "harmless:lookalike")
    for text in UNNAMED_HARMLESS:
        for _ in range(3):
            filled = text.replace("HEX32", _hex(source, 32)).replace("HEX40", _hex(source, 40))
            filled = filled.replace("HEX64", _hex(source, 64)).replace("UUID", _uuid(source))
            filled = filled.replace("B64", base64.b64encode(source.randbytes(48)).decode())
            yield Sample(filled, False, "harmless:unnamed")


def _fill(form: str, name: str, value: str) -> str:
    camel = "".join(part if not at else part.capitalize() for at, part in enumerate(name.split("_")))
    filled = (
        form.replace("NAME", name.upper()).replace("camelName", camel).replace("kebab-name", name.replace("_", "-"))
    )
    return (
        filled.replace("TitleName", camel[:1].upper() + camel[1:]).replace("snake_name", name).replace("VALUE", value)
    )


def _chosen(source: random.Random) -> str:
    """As people choose passwords."""
    first, second = source.sample(WORDS, 2)
    shapes: tuple[Callable[[], str], ...] = (
        lambda: f"{first.capitalize()}{source.randrange(10, 9999)}{source.choice(_SIGNS)}",
        lambda: f"{first}{source.randrange(100, 99999)}",
        lambda: f"{first.translate(str.maketrans('aeiost', '@31057'))}{second.capitalize()}{source.randrange(9)}",
        lambda: f"{first.capitalize()}{second.capitalize()}{source.choice(_SIGNS)}{source.randrange(99)}",
        lambda: f"{first}-{source.randrange(100, 999)}-{second}",
        lambda: f"{first}{source.choice(_SIGNS)}{second}",
        lambda: f"{first[:3]}{source.randrange(10, 99)}{second[:3].upper()}{source.choice(_SIGNS)}",
    )
    return source.choice(shapes)()


def _generated(source: random.Random) -> str:
    """As password managers make them."""
    return _draw(source, _ALNUM + "!@#%^*-_+=", source.choice((10, 12, 16, 20)))


def _machine(source: random.Random) -> str:
    """As services make keys."""
    shapes: tuple[Callable[[], str], ...] = (
        lambda: _hex(source, source.choice((32, 40, 64))),
        lambda: _draw(source, _ALNUM, source.choice((20, 24, 32, 40))),
        lambda: base64.b64encode(source.randbytes(source.choice((24, 32, 33)))).decode(),
        lambda: base64.urlsafe_b64encode(source.randbytes(24)).decode().rstrip("="),
        lambda: _draw(source, string.ascii_lowercase + string.digits, source.choice((20, 32))),
        lambda: _uuid(source),
        lambda: f"{_draw(source, _ALNUM, 8)}.{_draw(source, _ALNUM, 24)}",
    )
    return source.choice(shapes)()


def _draw(source: random.Random, letters: str, length: int) -> str:
    """With a letter at either end and a digit within."""
    while True:
        drawn = "".join(source.choices(letters, k=length))
        if drawn[0].isalnum() and drawn[-1].isalnum() and any(char.isdigit() for char in drawn):
            return drawn


def _hex(source: random.Random, length: int) -> str:
    return source.randbytes(length // 2).hex()


def _uuid(source: random.Random) -> str:
    text = _hex(source, 32)
    return "-".join((text[:8], text[8:12], "4" + text[13:16], "a" + text[17:20], text[20:]))


def _url_safe(value: str) -> str:
    return "".join(char if char.isalnum() or char in "-_!*" else f"%{ord(char):02X}" for char in value)


def _lines(prefix: str) -> Callable[[str], str]:
    return lambda text: "\n".join(prefix + line for line in text.splitlines())


PLACES: dict[str, Callable[[str], str]] = {
    "a file of its own": lambda text: text + "\n",
    "a log": lambda text: f"2026-01-02T03:04:05Z INFO worker-3 request failed: {text}\n",
    "a JSON string": lambda text: json.dumps({"role": "tool", "content": f"cat settings\n{text}\n"}),
    "a diff": lambda text: "@@ -1,2 +1,3 @@\n context\n" + _lines("+")(text) + "\n context\n",
    "Markdown": lambda text: f"# Setup\n\nPut this there:\n\n```\n{text}\n```\n",
    "a comment": lambda text: "def run():\n" + _lines("    # ")(text) + "\n    return 1\n",
    "a here document": lambda text: f"#!/bin/sh\ncat > settings <<EOF\n{text}\nEOF\n",
    "a YAML block": lambda text: "data:\n  settings: |\n" + _lines("    ")(text) + "\nkind: ConfigMap\n",
    "a table": lambda text: f"id,content,count\n17,{text},3\n",
    "HTML": lambda text: f"<html><body><pre>{text}</pre></body></html>\n",
    "lines of Windows": lambda text: "first=1\r\n" + text.replace("\n", "\r\n") + "\r\nlast=2\r\n",
    "base64": lambda text: "payload: " + base64.b64encode(f"settings\n{text}\n".encode()).decode() + "\n",
}
"""Kinds of files; each puts an example into one."""
