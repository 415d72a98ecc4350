"""Certificates that are not trusted: whose, by whom, and what to do, in a line each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from proxy_support.servers import LoopbackServer, http1
from proxy_support.session import HOST, Guarded, World, guarded

from agentguard.model.observation import GapType
from agentguard.sense.proxy.ca import make_authority

URL = f"https://{HOST}"


def refused(proxy: Guarded, *words: str) -> tuple[str, str]:
    """Detail and remedy of the one gap that a curl left."""
    assert proxy.curl(*words, f"{URL}/x", "-d", "hello").returncode != 0
    proxy.wait(lambda: proxy.gaps(GapType.TLS_REFUSED))
    (gap,) = proxy.gaps(GapType.TLS_REFUSED)
    assert gap.process is not None
    assert gap.process.name == "curl"
    return gap.detail, gap.remedy


@pytest.mark.parametrize(
    ("before", "after"), [(timedelta(hours=2), -timedelta(hours=1)), (-timedelta(days=1), timedelta(days=2))]
)
def test_a_certificate_of_another_time_points_to_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: timedelta, after: timedelta
) -> None:
    """A clock in the wrong year looks like a server whose certificate ran out, or is not valid yet."""
    world = World(tmp_path)
    monkeypatch.setattr("agentguard.demo.certificates.CLOCK_SKEW", before)
    monkeypatch.setattr("agentguard.demo.certificates.LIFETIME", after)
    with LoopbackServer(http1, world.tls()) as server:
        redirects = {HOST: ("127.0.0.1", server.port)}
        with guarded(tmp_path, monkeypatch, redirects=redirects, upstream_ca=str(world.ca)) as proxy:
            detail, remedy = refused(proxy)
            today = datetime.now().astimezone().date()
    assert detail == (
        f"the certificate of {HOST} is not valid on {today}, the date of this machine's clock; nothing was sent"
    )
    assert remedy.startswith("set the clock")
    assert not server.log.requests


def test_a_client_that_pins_is_named_once_however_often_it_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    with LoopbackServer(http1, world.tls()) as server:
        redirects = {HOST: ("127.0.0.1", server.port)}
        with guarded(tmp_path, monkeypatch, redirects=redirects, upstream_ca=str(world.ca)) as proxy:
            tries = [word for _ in range(20) for word in (f"{URL}/x", "-o", "/dev/null")]
            done = proxy.curl("--cacert", str(world.ca), *tries)
            assert done.returncode == 60, "curl's own word for a certificate that it does not trust"
            proxy.sensor.stop()
    gaps = proxy.gaps(GapType.TLS_REFUSED)
    assert {gap.detail for gap in gaps} == {f"curl refused the proxy's certificate for {HOST}; nothing was sent"}
    assert sum(gap.count for gap in gaps) == 20
    assert len(gaps) <= 2, "the first at once, the others as one with a count"
    assert not server.log.requests


@pytest.mark.parametrize("year", [1970, 1999, 2038, 2049, 2050, 2106])
def test_our_own_ca_is_valid_whatever_year_the_clock_says(year: int) -> None:
    now = datetime(year, 1, 3, tzinfo=UTC)
    certificate = x509.load_pem_x509_certificate(make_authority(now).certificate)
    assert certificate.not_valid_before_utc < now - timedelta(days=1)
    assert certificate.not_valid_after_utc > now + timedelta(days=30)
