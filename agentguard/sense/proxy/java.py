"""Java reads no proxy variable and no PEM file: it is told by options, and given a trust store of its own format."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path

from agentguard.sense.proxy.ca import TrustFiles

VARIABLE = "JAVA_TOOL_OPTIONS"
_PASSWORD = "changeit"  # noqa: S105  # Java's own default; there is nothing secret in a trust store


def java_options(port: int, trust: TrustFiles, base: Mapping[str, str]) -> str | None:
    """The value of `JAVA_TOOL_OPTIONS`; None to leave Java alone.

    It is left alone where there is none, where the user chose a trust store, or where none can be written: a Java
    client then goes round the proxy, which is seen, instead of failing at our certificate.
    """
    own = base.get(VARIABLE, "")
    installed = base.get("JAVA_HOME") or shutil.which("java", path=base.get("PATH"))
    if not installed or "javax.net.ssl.trustStore" in own:
        return None
    store = _trust_store(trust)
    if store is None:
        return None
    ours = [f"-D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort={port}" for scheme in ("http", "https")]
    ours += ["-Dhttp.nonProxyHosts=", f"-Djavax.net.ssl.trustStore={_quoted(store)}"]
    ours += [f"-Djavax.net.ssl.trustStorePassword={_PASSWORD}", "-Djavax.net.ssl.trustStoreType=PKCS12"]
    return " ".join([own, *ours]).strip()


def _quoted(path: Path) -> str:
    """As one word for Java, which would not start at the rest of a name with a space. Its quotes know no escapes."""
    quote = "'" if '"' in str(path) else '"'
    return f"{quote}{path}{quote}"


def _trust_store(trust: TrustFiles) -> Path | None:
    """The bundle as PKCS12, in 60 ms (keytool takes a second); None where `cryptography` is too old to write one."""
    from cryptography import x509  # noqa: PLC0415  # only where there is Java
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12  # noqa: PLC0415

    write = getattr(pkcs12, "serialize_java_truststore", None)
    if write is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some public roots have odd serial numbers
        try:
            certificates = x509.load_pem_x509_certificates(trust.bundle.read_bytes())
            named = [pkcs12.PKCS12Certificate(one, b"root-%d" % number) for number, one in enumerate(certificates)]
            path = trust.bundle.with_suffix(".p12")
            path.write_bytes(write(named, BestAvailableEncryption(_PASSWORD.encode("ascii"))))
        except (ValueError, OSError):
            return None
    return path
