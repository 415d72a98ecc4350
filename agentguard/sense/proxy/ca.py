"""A certificate authority for one session: EC P-256, its key in memory only, its certificate where clients look.

RSA would cost 0.4 s at the start and 4 ms a connection.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentguard.errors import SensorError

SYSTEM_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)
ROOT_VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO")
"""Variables by which a user adds a root of their own (a company's), all honoured in the session's bundle."""

_LIFETIME = timedelta(days=90)
"""Longer than a session lasts; the key dies with it anyway."""
_CLOCK_SKEW = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA. The key is never written to disk."""

    certificate: bytes
    """PEM."""
    key: bytes = field(repr=False)
    """PEM, unencrypted."""


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """What clients are pointed at."""

    ca_pem: Path
    """Our CA alone: for variables that add to a client's own roots."""
    bundle: Path
    """The system's roots, the user's own, and ours: for variables that replace a client's roots."""


def make_authority() -> Authority:
    """A new CA, in about a millisecond (the first call imports cryptography: 50 ms)."""
    from cryptography import x509  # noqa: PLC0415  # imported while the proxy child is starting
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "AgentGuard"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, f"AgentGuard session {secrets.token_hex(4)}"),
        ]
    )
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Authority(certificate.public_bytes(serialization.Encoding.PEM), private)


def system_roots(environ: Mapping[str, str]) -> str | None:
    """The PEM file a well-behaved client would verify servers with; None when there is none to be found."""
    for path in (environ.get("SSL_CERT_FILE"), *SYSTEM_ROOTS):
        if path and Path(path).is_file():
            return path
    return _certifi()


def write_trust(run_dir: Path, ca: Authority, environ: Mapping[str, str] | None = None) -> TrustFiles:
    """Write the CA's certificate and the bundle into `run_dir`, which the agent's processes can read.

    Args:
        run_dir: the session's run folder; made when missing.
        ca: only its certificate is written.
        environ: the user's environment, for roots of their own; None: ours.

    Raises:
        SensorError: the files cannot be written, or a roots file cannot be read.
    """
    env = os.environ if environ is None else environ
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # not .pem: that is the name of private keys too, and the file sensors would look at each open of it
        files = TrustFiles(run_dir / "agentguard-ca.crt", run_dir / "agentguard-roots.crt")
        files.ca_pem.write_bytes(ca.certificate)
        files.bundle.write_bytes(user_roots(env) + ca.certificate)
    except OSError as error:
        raise SensorError(f"cannot write the proxy's certificates under {run_dir}: {error.strerror}") from None
    return files


def user_roots(environ: Mapping[str, str], extra: str | None = None) -> bytes:
    """PEM of every root that the user's programs trust: the system's, those the environment names, and `extra`.

    Raises:
        OSError: one of the files cannot be read.
    """
    found: dict[Path, None] = {}
    for path in (system_roots(environ), *(environ.get(name) for name in ROOT_VARIABLES), extra):
        if path and Path(path).is_file():
            found.setdefault(Path(path).resolve())
    return b"".join(path.read_bytes().strip() + b"\n" for path in found)


def _certifi() -> str | None:
    try:
        import certifi  # noqa: PLC0415  # only where the system has no roots
    except ImportError:
        return None
    return certifi.where()
