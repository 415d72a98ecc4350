"""What stands where a secret might and is none: templates, references, paths, code, stand-ins. By form alone."""

from __future__ import annotations

import re

from agentguard.detect.ngrams import rarity

_RANDOM = 0.9
"""By `rarity`: a key may have the form of a path or of an expression; the words of these are common ones."""


def _any_of(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms), re.IGNORECASE)


_TEMPLATE = _any_of(
    r"\$\{[^}]*\}",
    r"\$\([^)]*\)",
    r"\{\{[ \w.|'\"()$:,/-]*\}\}",
    r"#\{[^}]*\}",
    r"<[%?]|[%?]>",
    r"%\(\w+\)",
    r"(?:^|[^%\w!])%[sdvr](?:$|[^A-Za-z0-9])",
    r"\{\d?\}|^\{[A-Za-z_][\w.]*(?:\([\w, ]*\))?(?:[:!][^{}]*)?\}$",
    r"^%\w+%$",
    r"^%[@sdvr]$",
    r"^\{[\w.: !-]*\}$",
    r"^\[[\w.: |-]*\]$",
    r"^<[^<>]*>$",
    r"^@[\w.-]+@?$",
    r"^__\w+__$",
    r"^\(\(.*\)\)$",
    r"^\$[A-Za-z_][\w.:>\[\]'-]*$",
    r"^\$\$",
    r"^&[a-z]+;$",
)
_REFERENCE = _any_of(
    r"^(?:op|vault|secrets?|ssm|keyring|keychain|env|file|ref|doppler|sops|bws|infisical|akv|kms|[a-z]{2,3}-?sm):",
    r"^[a-z][a-z0-9+.-]*://",
    r"^(?:ref\+\w+|resolve|secretsmanager|cipher|encrypted|var|urn|did|arn|mailto):",
    r"^enc[\[(]|^\{cipher\}|^!(?:vault|secret|ref|sub|env)|^projects/[^/]+/secrets|^\$ansible_vault|^@microsoft\.keyvault",
    r"^(?:process\.env|os\.environ|env\[|system\.getenv|(?:secrets|vars|env|config|settings|var|local|data)\.[a-z_])",
)
_PUBLIC = _any_of(
    r"^(?:sha(?:1|256|384|512)|md5)[-:]",
    r"^-----BEGIN",
    r"^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2)",
    r"^AAAA[BCE][0-9]",
    r"^M(?:F[kI]w|HYw|II[BC]IjAN|IGfM|CowBQYDK2V)[A-Za-z0-9+/]{8}",
    r"^data:[a-z]+/",
    r"^\\[nrtux]",
)
_ORDINARY = _any_of(
    r"[+-]?[0-9][0-9_,.]*(?:e[+-]?[0-9]+)?",
    r"0x[0-9a-f]{1,8}",
    r"v?[0-9]+(?:\.[0-9]+)+[\w.+-]{0,24}",
    r"\d{4}-\d{2}-\d{2}.*",
    r"\d+(?:px|em|rem|ms|s|m|h|d|kb|mb|gb|%)",
    r"#[0-9a-f]{3,8}",
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    r"(?:[a-z0-9-]+\.)+[a-z]{2,12}(?::\d+)?(?:/.*)?",
    r"(?:application|audio|font|image|message|model|multipart|text|video)/[a-z0-9.+-]+",
    r"[a-z]:\\.*|\\\\.*",
    r"(?:true|false|null|none|nil|undefined|yes|no|on|off|string|str|bytes|int|number|boolean|object|any|void)\W*",
)
"""Numbers, versions, dates, sizes, colours, mail addresses, hosts, media types, Windows paths, words of languages."""
_FILE = re.compile(
    r"(?i)[\w./\\-]+\.(?:py|js|tsx?|jsx|mjs|json|ya?ml|toml|ini|txt|md|pem|key|crt|cer|pub|p12|pfx|jks|html?|css|scss|php"
    r"|rb|go|rs|java|kt|cs|cpp|c|h|sh|sql|xml|csv|png|svg|jpe?g|gif|conf|cfg|env|lock|log|vue|dart|tf|properties|asc|gpg"
    r"|der|keystore)"
)
_PATH = re.compile(
    r"(?:~|\.{1,2})?(?:/[\w.@%+-]{1,40}){2,}/?|(?:~|\.{1,2})/\S*|[\w.@-]{1,40}(?:/[\w.@-]{1,40})+|/[\w-]{1,24}"
)
_EXPRESSION = re.compile(r"\\[wdsbWDSB.]|\[\^?[A-Za-z0-9]-[A-Za-z0-9]|\(\?[:=!<P]|\.\*|\.\+|\^\(|\)\$$")
_CODE = re.compile(
    r"[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*)+(?:[(\[].*)?"  # a.b.c, a->b(…
    r"|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"
    r"|[A-Za-z_$][\w$.:]*[(\[].*|.*\)\s*|.*=>.*|[A-Za-z_][\w.]*=[^=].*"
)
_STAND_IN = _any_of(
    r"example|sample|placeholder|dummy|redacted|lorem|ipsum|deadbeef|qwerty|asdf|testing|notasecret|supersecret|anonymous",
    r"(?:^|[^a-z])fake|fake$|fake(?:key|token|secret|pass)",
    r"change[-_ ]?(?:me|it|this)|replace[-_ ]?(?:me|with|this)|fill[-_ ]?(?:me|in)|insert[-_ ]|\bto[-_ ]?do\b",
    r"(?:^|[-_ ])(?:your|my)[-_ ]|your[-_]?(?:api|key|token|secret|pass|own)",
    r"(?:not|non)[-_ ]?(?:a[-_ ])?(?:real|secret|used)|top-?secret",
    r"(?:^|[-_])(?:test|mock|invalid|wrong|bad|incorrect|some|any|new|old)[-_]|[-_](?:here|test|mock|value)$",
    r"x{4,}|\*{3,}|\.{3,}|_{4,}|-{4,}|^[-_.*=#~]+$",
    r"foo[-_]?bar|abc[-_]?123|abcdefg|12345678|01234567|87654321",
    r"^[a-z]?pass(?:word)?\W*\d{0,4}\W*$",
)
_RUN = re.compile(r"(.)\1{5,}")
_RUN_SHARE = 4
"""A stand-in is run of one character for a quarter at least. Zeros in a token are a run of `A` in base64."""


def is_quiet(value: str) -> bool:
    """Whether a value is no secret whatever its name: a stand-in, a template, a path, a number, something public."""
    return (
        _STAND_IN.search(value) is not None
        or _TEMPLATE.search(value) is not None
        or _REFERENCE.search(value) is not None
        or _PUBLIC.search(value) is not None
        or _ORDINARY.fullmatch(value) is not None
        or _FILE.fullmatch(value) is not None
        or _EXPRESSION.search(value) is not None
        or any(_RUN_SHARE * len(run[0]) >= len(value) for run in _RUN.finditer(value))
        or len(set(value.lower())) <= max(2, min(6, len(value) // 5))
        or (_PATH.fullmatch(value) is not None and rarity(value.replace("/", "")) < _RANDOM)
    )


def is_code(value: str) -> bool:
    """Whether what stands without quotes is an expression: `settings.TOKEN`, `get(…)`."""
    return _CODE.fullmatch(value) is not None and rarity(value) < _RANDOM
