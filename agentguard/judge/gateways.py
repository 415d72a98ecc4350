"""Gateways to models that the catalogue cannot know: LiteLLM on this machine, a company's own, a reseller's.

The user names them in a policy (`gateways:`), as `HOST` or `HOST:PORT`, with globs. What the session's environment
points an agent at (`ANTHROPIC_BASE_URL`) receives its prompts too, but nobody said that it may have keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from agentguard.judge.destination import locality, normal_host
from agentguard.judge.globs import GlobSet, glob_problem
from agentguard.model.verdict import Destination

_FORM = re.compile(r"(?P<host>[a-z0-9_*?.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?", re.ASCII)
_WILD = re.compile(r"[*?]")


def gateway_problem(text: str) -> str:
    """What is wrong with an entry of `gateways`, in words; "" when nothing is."""
    found = _FORM.fullmatch(text.lower())
    if "://" in text or "/" in text:
        return f"{text[:60]!r} is a URL; write its host, or HOST:PORT"
    if found is None or int(found["port"] or 1) > 65535:
        return glob_problem(text) or f"{text[:60]!r} is not a host, nor HOST:PORT"
    host = found["host"]
    # A public suffix, or everything: who names that, turns every leak into an exposure.
    fixed = [label for label in host.rpartition("*")[2].rpartition("?")[2].split(".") if label]
    if _WILD.search(host) and (len(fixed) < 2 or not re.search(r"[*?]\.", host)):
        return f"{text[:60]!r} would name far too many hosts; at least two labels must be written out behind the *."
    return ""


def names_gateway(gateways: GlobSet, host: str, port: int) -> bool:
    """Whether `host`, or `host` at `port`, is one of them."""
    name = normal_host(host)
    shown = f"[{name}]" if ":" in name else name
    return gateways.matches(shown) or (port != 0 and gateways.matches(f"{shown}:{port}"))


def pointed_at(environ: Mapping[str, str], variables: Iterable[str]) -> tuple[str, ...]:
    """Hosts beyond this machine that variables such as `OPENAI_BASE_URL` name.

    A server on this machine may be the model itself: whether it passes prompts on, only the user can say.

    Args:
        environ: of the user, before the session starts: what the agent sets later does not count.
        variables: names to look at.
    """
    hosts = (_host(environ.get(variable, "")) for variable in variables)
    return tuple(dict.fromkeys(host for host in hosts if host and not gateway_problem(host)))


def _host(url: str) -> str:
    try:
        host = normal_host(urlsplit(url if "://" in url else f"//{url}").hostname or "")
    except ValueError:
        return ""
    return "" if locality(host) is Destination.LOOPBACK else host
