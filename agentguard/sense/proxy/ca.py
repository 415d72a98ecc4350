"""A certificate authority for one session: EC P-256, its key in memory only, its certificate where clients look.

RSA would cost 0.4 s at the start and 4 ms a connection.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agentguard.errors import SensorError
from agentguard.sense.proxy.wget import own_roots

SYSTEM_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)
REPLACING = (
    "SSL_CERT_FILE",  # OpenSSL, Python, httpx, Go, rustls-native-certs, uv, Ruby, Bun, Claude Code, Codex
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "NIX_SSL_CERT_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "HTTPLIB2_CA_CERTS",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "NPM_CONFIG_CAFILE",
    "YARN_HTTPS_CA_FILE_PATH",
    "YARN_CAFILE",
    "CODEX_CA_CERTIFICATE",
    "HEX_CACERTS_PATH",
)
"""Variables that name the roots a client trusts instead of its own."""
ADDING = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
"""Variables that name roots a client trusts beside its own."""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")

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


def make_authority(now: datetime | None = None) -> Authority:
    """A new CA, in about a millisecond (the first call imports cryptography: 50 ms).

    Args:
        now: what this machine's clock says; None: ask it. Whatever year that is, its clients go by it too.
    """
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
    now = now or datetime.now(UTC)
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


@dataclass(frozen=True, slots=True)
class Roots:
    """Certificates that the user's programs trust."""

    pem: bytes
    left_out: tuple[str, ...] = ()
    """Files that were named and not used, each with what names it and why."""


def system_roots() -> str | None:
    """The PEM file of this machine's roots; None when there is none to be found."""
    return next((path for path in SYSTEM_ROOTS if Path(path).is_file()), None) or _certifi()


def write_trust(run_dir: Path, ca: Authority, roots: Roots) -> TrustFiles:
    """Write the CA's certificate and the bundle into `run_dir`, which the agent's processes can read.

    Args:
        run_dir: the session's run folder; made when missing.
        ca: only its certificate is written.
        roots: what the user's programs trust without us.

    Raises:
        SensorError: the files cannot be written.
    """
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # not .pem: that is the name of private keys too, and the file sensors would look at each open of it
        files = TrustFiles(run_dir / "agentguard-ca.crt", run_dir / "agentguard-roots.crt")
        files.ca_pem.write_bytes(ca.certificate)
        files.bundle.write_bytes(roots.pem + ca.certificate)
    except OSError as error:
        raise SensorError(f"cannot write the proxy's certificates under {run_dir}: {error.strerror}") from None
    return files


def user_roots(environ: Mapping[str, str], extra: str | None = None) -> Roots:
    """Every root that the user's programs trust: the system's, those the environment names, and those in `extra`.

    Only certificates are taken: a file of a user's may hold a private key beside them.
    """
    pem: dict[bytes, None] = {}
    left_out: list[str] = []
    done: set[str] = set()
    for name, path in _named_roots(environ, extra):
        if path in done:
            continue
        done.add(path)
        try:
            found = _CERTIFICATE.findall(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            left_out.append(f"{name} names {path}, which cannot be read ({getattr(error, 'strerror', 'not a path')})")
            continue
        if not found:
            left_out.append(f"{name} names {path}, which holds no certificate in PEM form")
        pem.update(dict.fromkeys(found))
    return Roots(b"".join(one + b"\n" for one in pem), tuple(left_out))


def write_upstream_roots(folder: Path, environ: Mapping[str, str], extra: str | None) -> Path:
    """One file of what servers are verified with. A certificate is no secret; a file is what OpenSSL wants.

    Raises:
        SensorError: it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "upstream-roots.pem"
        path.write_bytes(user_roots(environ, extra).pem)
    except OSError as error:
        raise SensorError(f"cannot write the proxy's certificates under {folder}: {error.strerror}") from None
    return path


def _named_roots(environ: Mapping[str, str], extra: str | None) -> Iterator[tuple[str, str]]:
    """(what names it, path)."""
    given = {name.upper(): path for name, path in environ.items() if path}
    named = [("the system", system_roots()), *((name, given.get(name)) for name in (*REPLACING, *ADDING))]
    for name, path in (*named, (".wgetrc", own_roots(environ)), ("--upstream-ca", extra)):
        if path:
            yield name, path


def _certifi() -> str | None:
    try:
        import certifi  # noqa: PLC0415  # only where the system has no roots
    except ImportError:
        return None
    return certifi.where()
