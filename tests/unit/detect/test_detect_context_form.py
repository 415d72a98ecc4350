"""A key without a form of its own is told by the provider's name, however the two are written together."""

from __future__ import annotations

import re

import pytest
from detect_support import FINGERPRINTER, Values

from agentguard.detect.context_form import context_examples, expand_context
from agentguard.detect.engine import build_engine
from agentguard.detect.rules import CredentialType
from agentguard.detect.scanner import Scanner
from agentguard.detect.templates import expand


def told(identity: str, words: list[str], values: list[str], then: tuple[str, ...] = ()) -> CredentialType:
    form = expand_context(words, values)
    return CredentialType(
        id=identity,
        name=identity,
        provider=identity.partition("-")[0],
        pattern=form.pattern,
        value_form=form.value_form,
        then=then,
        keywords=form.keywords,
        max_length=form.max_length,
        examples=context_examples(words, values, then),
    )


TYPES = (
    told("acme-key", ["acme"], ["{hex:32}", "{digits:12}", "ac-{lower:20-40}", "{uuid}"]),
    told("north-wind-key", ["north wind"], ["{hex:32}"]),
    told("south-secret", ["south"], ["{alnum:24}"], ("app secret",)),
)
SCANNER = Scanner(TYPES, build_engine(TYPES, prefer="python"), FINGERPRINTER, Values())
KEY = expand("{hex:32}", "context")

WRITTEN = """
acme_key = "K" | acme_token='K' | export ACME_API_KEY=K | acmeKey: K | "acmeToken": "K", | "acme_secret" : "K"
acme.api.key=K | acme-api-key => "K", | acmeToken := "K" | var acmeToken string = "K" | const acmeKey: string = 'K';
private static final String ACME_KEY = "K"; | ACME_TOKEN ::= "K" | ACME_TOKEN ?= K | <acmeToken>K</acmeToken>
<add key="AcmeToken" value="K" /> | <entry key="acme.token">K</entry> | System.setProperty("ACME_TOKEN", "K")
os.environ["ACME_TOKEN"] = "K" | client.setAcmeToken("K"); | acme = "K" | "acme": "K" | acme.authenticate("K")
new Acme("K") | X-Acme-Key: K | curl -H "X-Acme-Token:K" https://x | https://api.acme.com/v1/x?apikey=K&x=1
--acme-token K | --acme-token=K | tool acme --key K | acme:¶  api_key: K | "acme": {¶    "key": "K" | [acme]¶api_key = K
# Acme¶API_KEY=K | // of Acme¶var key = "K" | process.env.ACME_TOKEN || 'K' | ENV ACME_TOKEN K | ACME_PASS=K;x
name: ACME_TOKEN¶    value: K | {"key": "ACME_TOKEN", "value": "K"} | :acme_token, "K" | $acme_token = 'K';
define('ACME_TOKEN', 'K'); | ACME_TOKEN="K" # mine | acme_key=K;acme_id=3 | acme_token = b"K"
acme_tokens = ["K"] | ACME_KEY = os.getenv("ACME_KEY", "K") | string acmeKey = @"K"; | acme { token = "K" }
""".replace("\n", " | ").split(" | ")


def ids(text: str) -> list[str]:
    return [found.match.type for found in SCANNER.find(text.encode())]


@pytest.mark.parametrize("shape", [shape for shape in WRITTEN if shape])
def test_it_is_found_however_it_is_written(shape: str) -> None:
    assert "acme-key" in ids(re.sub(r"\bK\b", KEY, shape.replace("¶", "\n")))


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"token = {KEY}",
        f"acme_commit = {KEY}",
        f"acme_account_id: {KEY}",
        f'"acme": {{"md5": "{KEY}"}}',
        f"acme_key = {KEY}0",
        f"acme_key = {KEY[:-1]}",
        f"acme_key = {'0' * 32}",
        f"the placme_key = {KEY}",
        f"https://cdn.acme.com/key/{KEY}/logo.png",
        f"acme_key{' ' * 120}{KEY}",
        "acme_key = " + "ac-" + "another_good_long_name",
        f"acme and {KEY}",
    ],
)
def test_what_is_none_stays_quiet(text: str) -> None:
    assert ids(text) == []


@pytest.mark.parametrize("name", ["northwind", "NORTH_WIND", "north-wind", "North Wind", "northWind", "north.wind"])
def test_a_name_of_several_words_is_known_in_every_spelling(name: str) -> None:
    assert ids(f"{name}_key={KEY}") == ["north-wind-key"]


def test_the_nearest_provider_counts() -> None:
    assert ids(f"# acme, then\nnorthwind_key: {KEY}") == ["north-wind-key"]
    assert ids(f"# north wind, then\nacme_key: {KEY}") == ["acme-key"]


def test_where_words_must_follow_no_other_will_do() -> None:
    value = expand("{alnum:24}")
    assert ids(f"SOUTH_APP_SECRET={value}") == ["south-secret"]
    assert ids(f"SOUTH_API_KEY={value}") == []


def test_each_of_its_words_and_values_has_an_example() -> None:
    for kind in TYPES:
        assert [ids(expand(text, kind.id)) for text in kind.examples.match] == [[kind.id]] * len(kind.examples.match)
        assert [ids(expand(text, kind.id)) for text in kind.examples.no_match] == [[], []]
    assert len(TYPES[0].examples.match) == 5


def test_an_engine_that_looks_ahead_sees_every_example() -> None:
    for kind in TYPES:
        for template in kind.examples.match:
            text = expand(template, kind.id)
            assert re.search(kind.pattern, text)


@pytest.mark.parametrize("template", ["{hex}", "{words:3}", "{pem:20}"])
def test_a_value_of_no_known_form_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="is no form of a value"):
        expand_context(["acme"], [template])
