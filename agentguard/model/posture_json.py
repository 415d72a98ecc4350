"""A posture as JSON: the object of `check --format json`, of a report, and what the database keeps."""

from __future__ import annotations

from typing import Any

from agentguard.model.event import iso_time, parse_time
from agentguard.model.posture import Breadth, Check, Earlier, Fix, GoodPractice, Place, Posture, Weakness
from agentguard.model.unicode import valid_text
from agentguard.model.verdict import Severity


def posture_to_json(posture: Posture) -> dict[str, Any]:
    """The public object. Text in it is valid Unicode; times are UTC. Fields may join; none goes."""
    return {
        "root": valid_text(posture.root),
        "time": iso_time(posture.time_ns),
        "seconds": round(posture.seconds, 3),
        "breadth": {
            "home": posture.breadth.home,
            "history": posture.breadth.history,
            "older_than_days": posture.breadth.older_than_days,
        },
        "score": posture.score,
        "formula": posture.formula,
        "earlier": _earlier(posture.earlier) if posture.earlier else None,
        "counts": {severity.value: posture.count(severity) for severity in Severity},
        "files": posture.files,
        "commits": posture.commits,
        "credentials": posture.credentials,
        "findings": [_weakness(one) for one in posture.weaknesses],
        "good": [
            {"what": one.what, "count": one.count, "places": [_place(place) for place in one.places]}
            for one in posture.good
        ],
        "unread": [{"path": valid_text(path), "reason": valid_text(reason)} for path, reason in posture.unread],
        "notes": [valid_text(note) for note in posture.notes],
    }


def posture_from_json(data: dict[str, Any]) -> Posture:
    """The inverse; times at microsecond precision."""
    breadth = data["breadth"]
    return Posture(
        root=data["root"],
        time_ns=parse_time(data["time"]),
        seconds=data["seconds"],
        breadth=Breadth(home=breadth["home"], history=breadth["history"], older_than_days=breadth["older_than_days"]),
        score=data["score"],
        formula=data["formula"],
        earlier=_earlier_from(data["earlier"]) if data["earlier"] else None,
        files=data["files"],
        commits=data["commits"],
        credentials=data["credentials"],
        weaknesses=tuple(_weakness_from(one) for one in data["findings"]),
        good=tuple(
            GoodPractice(
                what=one["what"], count=one["count"], places=tuple(_place_from(place) for place in one["places"])
            )
            for one in data["good"]
        ),
        unread=tuple((one["path"], one["reason"]) for one in data["unread"]),
        notes=tuple(data["notes"]),
    )


def _earlier(one: Earlier) -> dict[str, Any]:
    return {"time": iso_time(one.time_ns), "score": one.score, "put_right": one.put_right, "new": one.new}


def _earlier_from(data: dict[str, Any]) -> Earlier:
    return Earlier(time_ns=parse_time(data["time"]), score=data["score"], put_right=data["put_right"], new=data["new"])


def _weakness(one: Weakness) -> dict[str, Any]:
    return {
        "id": one.identity,
        "check": one.check.value,
        "severity": one.severity.value,
        "title": valid_text(one.title),
        "why": one.why,
        "fixes": [
            {"do": valid_text(fix.do), "command": valid_text(fix.command) or None, "page": fix.page or None}
            for fix in one.fixes
        ],
        "places": [_place(place) for place in one.places],
        "type": one.type or None,
        "name": valid_text(one.name),
        "preview": one.preview,
        "fingerprint": one.fingerprint or None,
    }


def _weakness_from(data: dict[str, Any]) -> Weakness:
    return Weakness(
        check=Check(data["check"]),
        severity=Severity(data["severity"]),
        title=data["title"],
        why=data["why"],
        fixes=tuple(Fix(do=fix["do"], command=fix["command"] or "", page=fix["page"] or "") for fix in data["fixes"]),
        places=tuple(_place_from(place) for place in data["places"]),
        type=data["type"] or "",
        name=data["name"],
        preview=data["preview"],
        fingerprint=data["fingerprint"] or "",
    )


def _place(one: Place) -> dict[str, Any]:
    return {"path": valid_text(one.path), "line": one.line, "column": one.column, "note": one.note}


def _place_from(data: dict[str, Any]) -> Place:
    return Place(path=data["path"], line=data["line"], column=data["column"], note=data["note"])
