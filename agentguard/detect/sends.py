"""What a send contains: the secrets in it, and names that do not go together."""

from __future__ import annotations

from typing import Any, Protocol

from agentguard.detect import subjects
from agentguard.detect.describe import Describer
from agentguard.detect.flow import FlowTracker
from agentguard.detect.lookups import scan_lookup
from agentguard.detect.once import Once
from agentguard.detect.scanner import Scanner
from agentguard.model.attributed import Attributed
from agentguard.model.finding import Activity, Finding, Kind
from agentguard.model.observation import HttpObservation, LookupObservation


class Make(Protocol):
    """Makes a finding of an observation and the fields that are its own."""

    def __call__(self, attributed: Attributed, **fields: Any) -> Finding: ...


class Sends:
    """For one thread: the pipeline's. Arguments as the detector's own."""

    def __init__(self, scanner: Scanner, describe: Describer, flows: FlowTracker, once: Once, make: Make) -> None:
        self._scanner = scanner
        self._describe = describe
        self._flows = flows
        self._once = once
        self._make = make

    def request(self, attributed: Attributed, sent: HttpObservation) -> list[Finding]:
        """A request, a message or raw bytes that the proxy saw."""
        return [*self._names(attributed, sent), *self._secrets(attributed, sent)]

    def _names(self, attributed: Attributed, sent: HttpObservation) -> list[Finding]:
        """A client that reached one host and asked for another: told once of each program and pair of names."""
        other = sent.asked_host or sent.connect_host
        program = sent.process.exe if sent.process else ""
        if not other or self._once.again("names", attributed.session, program, sent.host, other):
            return []
        return [
            self._make(
                attributed,
                kind=Kind.FINDING,
                activity=Activity.CONNECT,
                subject=subjects.names_subject(sent.host, sent.asked_host, sent.connect_host),
                host=sent.host,
                port=sent.port,
                protocol=sent.protocol,
                asked_host=sent.asked_host,
            )
        ]

    def _secrets(self, attributed: Attributed, sent: HttpObservation) -> list[Finding]:
        if not sent.matches:
            return []
        url = self._describe.text(sent.url)
        fingerprints = [match.fingerprint for match in sent.matches]
        return [
            self._make(
                attributed,
                kind=Kind.NETWORK if sent.protocol == "tcp" else Kind.HTTP,
                activity=Activity.SEND,
                subject=subjects.request_subject(sent.method, url, sent.host, sent.port),
                host=sent.host,
                port=sent.port,
                asked_host=sent.asked_host,
                method=sent.method,
                protocol=sent.protocol,
                size=sent.body_size,
                matches=sent.matches,
                flow=self._flows.flow(attributed.session, fingerprints, sent.time_ns),
                enforced_rule=sent.enforced_rule,
            )
        ]

    def lookup(self, attributed: Attributed, asked: LookupObservation) -> list[Finding]:
        """Whoever answers for the domain gets the name, wherever the resolver is."""
        lookup = scan_lookup(self._scanner, asked.message)
        if not lookup.matches:
            return []
        domain = self._describe.text(lookup.domain)
        return [
            self._make(
                attributed,
                kind=Kind.NETWORK,
                activity=Activity.SEND,
                subject=subjects.request_subject("LOOKUP", f"dns://{domain}", domain, asked.port),
                host=domain,
                port=asked.port,
                method="LOOKUP",
                protocol="dns",
                matches=lookup.matches,
                flow=self._flows.flow(
                    attributed.session, [match.fingerprint for match in lookup.matches], asked.time_ns
                ),
            )
        ]
