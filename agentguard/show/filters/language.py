"""`session:last kind:file severity>=high -host:paste.example since:10m words "two words"`: all must hold."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import tzinfo

from agentguard.record.reader import Compare, EventQuery, Field, Term
from agentguard.show.filters.errors import FilterError
from agentguard.show.filters.keys import KEYS, SHORT, Key
from agentguard.show.filters.moments import ALLOWED, moment_ns
from agentguard.show.filters.tokens import Token, Value, tokens

LONGEST = 2_000
"""Characters of a filter."""
LONGEST_VALUE = 256
MOST_STARS = 4
"""In one value: each more makes the comparison slower by the length of the text."""
_COMPARE = {":": Compare.IS, ">=": Compare.AT_LEAST, "<=": Compare.AT_MOST}
_TIME = {"since": Compare.AT_LEAST, "until": Compare.AT_MOST}


def parse_filter(text: str, now_ns: int, zone: tzinfo | None = None) -> EventQuery:
    """Read what a person typed.

    Args:
        now_ns: what `10m` is counted from, ns since the epoch.
        zone: of times that name none; None for the machine's own.

    Returns:
        A query whose `session` is a name: a uid, a beginning of one, or `last`; None where none is given.

    Raises:
        FilterError: with one line that says where, what is wrong and what would be right.
    """
    if len(text) > LONGEST:
        raise FilterError(LONGEST, f"a filter may have {LONGEST:,} characters")
    terms: list[Term] = []
    session: str | None = None
    given: set[str] = set()
    for token in tokens(text):
        if not token.key:
            terms.append(Term(Field.TEXT, (_checked(token.values[0]),), negated=token.negated))
            continue
        key = _key(token, given)
        values = tuple(_value(key, value, now_ns, zone) for value in token.values)
        if key.field is Field.SESSION and not token.negated:
            session = _only(token, values)
            continue
        compare = _TIME.get(key.name, _COMPARE[token.operator])
        if compare is not Compare.IS:
            _only(token, values)
        terms.append(Term(key.field, values, compare, token.negated))
    return EventQuery(session=session, terms=tuple(terms))


def _key(token: Token, given: set[str]) -> Key:
    """Raises FilterError when it is none, or cannot stand here so."""
    start = token.start + token.negated
    key = KEYS.get(token.key)
    if key is None:
        near = difflib.get_close_matches(token.key, KEYS, 1)
        hint = f"is it {near[0]}" if near else f"there are {', '.join(KEYS)}"
        raise FilterError(start, f'no key "{token.key[:40]}"; {hint}; quote the words to look for them')
    if token.operator not in key.operators:
        allowed = " or ".join(f"{key.name}{operator}" for operator in key.operators)
        raise FilterError(start, f"write {allowed} before the value, not {token.key}{token.operator}")
    if token.negated and not key.negates:
        other = "until" if key.name == "since" else "since"
        raise FilterError(token.start, f"{key.name} cannot be turned round; write {other}:")
    if key.name in given and not key.repeats and not token.negated:
        either = f"; write {key.name}:A,B for either of two" if key.field is not Field.TIME else ""
        raise FilterError(start, f"{key.name} is given twice{either}")
    if not token.negated:
        given.add(key.name)
    return key


def _value(key: Key, value: Value, now_ns: int, zone: tzinfo | None) -> str:
    text = _checked(value, f"{key.name}: needs a value, such as {key.example}")
    if key.choices:
        return _choice(key, value)
    read = _READ.get(key.field)
    return read(value, now_ns, zone) if read else text


def _checked(value: Value, missing: str = "nothing stands between the quotes") -> str:
    if not value.text.strip():
        raise FilterError(value.start, missing)
    if len(value.text) > LONGEST_VALUE:
        raise FilterError(value.start, f"a value may have {LONGEST_VALUE} characters")
    if value.text.count("*") > MOST_STARS:
        raise FilterError(value.start, f"a value may have {MOST_STARS} times *")
    return value.text


def _choice(key: Key, value: Value) -> str:
    text = SHORT.get(value.text.lower(), value.text.lower())
    if text not in key.choices:
        raise FilterError(value.start, f'no {key.name} "{_shown(value)}"; one of {", ".join(key.choices)}')
    return text


def _pid(value: Value, _now_ns: int, _zone: tzinfo | None) -> str:
    if not (value.text.isascii() and value.text.isdigit()):
        raise FilterError(value.start, f'a pid is a number, not "{_shown(value)}"; names go with process:')
    return value.text


def _moment(value: Value, now_ns: int, zone: tzinfo | None) -> str:
    try:
        return str(moment_ns(value.text, now_ns, zone))
    except ValueError:
        raise FilterError(value.start, f'no time "{_shown(value)}"; write {ALLOWED}') from None


def _host(value: Value, _now_ns: int, _zone: tzinfo | None) -> str:
    return value.text.lower().rstrip(".") or value.text


_READ: dict[Field, Callable[[Value, int, tzinfo | None], str]] = {
    Field.PID: _pid,
    Field.TIME: _moment,
    Field.HOST: _host,
}
"""Values that are more than text."""


def _shown(value: Value) -> str:
    """Short, on one line, and nothing a terminal would obey."""
    return "".join(char if char.isprintable() else "\ufffd" for char in value.text[:40])


def _only(token: Token, values: tuple[str, ...]) -> str:
    if len(values) > 1:
        raise FilterError(token.values[1].start, f"{token.key}{token.operator} takes one value")
    return values[0]
