"""The objects of OCSF that several classes share: actor, process, file, endpoint. Each holds what it requires."""

from __future__ import annotations

import ipaddress
import shlex
from typing import Any
from urllib.parse import urlsplit

from agentguard import __version__
from agentguard.model.finding import Finding, Kind
from agentguard.model.process import Process
from agentguard.model.unicode import valid_text

_SYSTEMS = {"Linux": 200, "Darwin": 300}
"""os.type_id of what AgentGuard runs on."""

METHODS = {
    "CONNECT": (1, "Connect"),
    "DELETE": (2, "Delete"),
    "GET": (3, "Get"),
    "HEAD": (4, "Head"),
    "OPTIONS": (5, "Options"),
    "POST": (6, "Post"),
    "PUT": (7, "Put"),
    "TRACE": (8, "Trace"),
    "PATCH": (9, "Patch"),
}
"""activity_id of HTTP Activity, and its caption. OCSF knows no other method."""

_HOSTNAME, _IP, _FILE_PATH = 1, 2, 45
"""observable.type_id"""


def product() -> dict[str, str]:
    return {"name": "AgentGuard", "vendor_name": "AgentGuard", "version": __version__}


def device(hostname: str, system: str) -> dict[str, Any]:
    """This machine: what it is (laptop, server) is not known."""
    os = {"name": system or "Unknown", "type_id": _SYSTEMS.get(system, 0)}
    return {"type_id": 0, "type": "Unknown", "hostname": hostname, "os": os}


def named(text: str) -> str:
    """A name that is required; OCSF takes no empty one."""
    return valid_text(text) or "unknown"


def program(process: Process) -> dict[str, Any]:
    """A process with its parent and all its ancestors, nearest first."""
    above = [{"pid": one.pid, "name": named(one.name)} for one in process.ancestors]
    out = {
        "pid": process.pid,
        "uid": f"{process.pid}-{process.start_time}",
        "name": named(process.name),
        "cmd_line": valid_text(shlex.join(process.cmdline)),
    }
    if process.exe:
        out["file"] = file(process.exe)
    return {**out, "parent_process": above[0], "ancestry": above} if above else out


def actor(finding: Finding) -> dict[str, Any]:
    """The agent, and the process of its tree where that is known."""
    agent = {"app_name": named(finding.agent)}
    return {**agent, "process": program(finding.process)} if finding.process else agent


def file(path: str) -> dict[str, Any]:
    """By its path. What sort of file it was is not recorded: type_id 0."""
    clean = valid_text(path)
    return {"name": clean.rstrip("/").rpartition("/")[2] or named(clean), "path": clean, "type_id": 0}


def endpoint(finding: Finding) -> dict[str, Any]:
    """The receiver: an address as `ip`, anything else as `hostname`."""
    host = valid_text(finding.host)
    out: dict[str, Any] = {"ip": host} if _is_address(host) else {"hostname": host or "unknown"}
    return {**out, "port": finding.port} if finding.port else out


def http_request(finding: Finding) -> dict[str, Any]:
    """Method and address, as far as the subject (`POST https://host/path`) tells them."""
    address = valid_text(finding.subject.partition(" ")[2] or finding.subject)
    url: dict[str, Any] = {"url_string": address or "unknown"}
    if finding.host:
        url["hostname"] = valid_text(finding.host)
    if scheme := _scheme(address):
        url["scheme"] = scheme
    if finding.port:
        url["port"] = finding.port
    out: dict[str, Any] = {"url": url}
    if (method := finding.method.upper()) in METHODS:
        out["http_method"] = method
    if finding.protocol.lower().startswith("http/"):
        out["version"] = valid_text(finding.protocol[5:])
    return out


def traffic(finding: Finding) -> dict[str, Any]:
    """The attribute `traffic`: bytes of the body that the agent sent; of a blocked request, to the proxy. Nothing
    where they are not known."""
    return {"traffic": {"bytes_out": finding.size}} if finding.size else {}


def observables(finding: Finding, *, evidence: bool) -> list[dict[str, Any]]:
    """What one looks up in other logs: receiver and file, with where they stand in the object; `evidence`: of a
    Detection Finding."""
    before = "evidences[]." if evidence else ""
    found: list[dict[str, Any]] = []
    if finding.host and (evidence or finding.kind in (Kind.HTTP, Kind.NETWORK)):
        address = _is_address(finding.host)
        kind, word, name = (_IP, "IP Address", "ip") if address else (_HOSTNAME, "Hostname", "hostname")
        place, value = f"{before}dst_endpoint.{name}", valid_text(finding.host)
        found.append({"type_id": kind, "type": word, "name": place, "value": value})
    if finding.path and (evidence or finding.kind is Kind.FILE):
        place, value = f"{before}file.path", valid_text(finding.path)
        found.append({"type_id": _FILE_PATH, "type": "File Path", "name": place, "value": value})
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _scheme(address: str) -> str:
    try:
        return urlsplit(address).scheme
    except ValueError:
        return ""
