"""TLS of the proxy: certificates from the session's CA, and servers verified, except on this very machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from mitmproxy import certs, tls
from OpenSSL import SSL

from agentguard.sense.proxy.addons import TlsConfig
from agentguard.sense.proxy.environment import is_loopback


class SessionTls(TlsConfig):  # type: ignore[misc]  # mitmproxy is not analysed
    """mitmproxy's TLS addon with a CA that was handed over in memory."""

    def __init__(self, key: bytes, certificate: bytes, confdir: Path) -> None:
        confdir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.certstore = _cert_store(key, certificate, confdir)

    def configure(self, updated: Collection[str]) -> None:
        """The base class would look for a CA in the configuration folder, and make one."""

    def tls_start_server(self, tls_start: tls.TlsData) -> None:
        """A developer's own server on localhost has a certificate of its own making, which `curl -k` must still reach.

        Only where both the name and the address are this machine's: a name from outside is always verified.
        """
        super().tls_start_server(tls_start)
        name = tls_start.conn.sni or tls_start.conn.address[0]
        if is_loopback(name) and _is_loopback_address(tls_start.conn.peername):
            tls_start.ssl_conn.set_verify(SSL.VERIFY_NONE)


def _cert_store(key: bytes, certificate: bytes, confdir: Path) -> certs.CertStore:
    private = load_pem_private_key(key, None)
    authority = certs.Cert(x509.load_pem_x509_certificate(certificate))
    arguments: dict[str, Any] = {
        "default_privatekey": private,
        "default_ca": authority,
        "default_chain_file": None,
        "dhparams": certs.CertStore.load_dhparam(confdir / "dhparam.pem"),
    }
    if hasattr(certs, "dummy_crl"):  # from 12
        arguments["default_crl"] = certs.dummy_crl(private, authority.to_cryptography())
    return certs.CertStore(**arguments)


def _is_loopback_address(peer: tuple[Any, ...] | None) -> bool:
    return peer is not None and ipaddress.ip_address(str(peer[0]).partition("%")[0]).is_loopback
