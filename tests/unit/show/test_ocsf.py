"""Every event of a real database as OCSF, held against what version 1.7.0 asks of each class."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_rules import (
    ACTIONS,
    ACTIVITIES,
    CLASS_NAMES,
    CLASSES,
    DISPOSITIONS,
    OTHER,
    SEVERITIES,
)

from agentguard.config import Home
from agentguard.record.reader import Reader
from agentguard.show.ocsf import ocsf_lines

VALIDATORS = {
    uid: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for uid, schema in CLASSES.items()
}


@pytest.fixture(scope="module")
def objects(told: Home) -> list[dict[str, Any]]:
    with contextlib.closing(Reader(told.database)) as reader:
        lines = [line for event in reader.events() for line in ocsf_lines(event).split("\n")]
    assert all(line.isascii() and line.isprintable() for line in lines)
    return [json.loads(line) for line in lines]


def wrong(one: dict[str, Any]) -> list[str]:
    """Everything that OCSF would refuse in one object."""
    uid, activity = one["class_uid"], one["activity_id"]
    found = [f"{error.json_path}: {error.message[:200]}" for error in VALIDATORS[uid].iter_errors(one)]
    pairs = (
        (one["type_uid"], uid * 100 + activity),
        (one["category_uid"], uid // 1000),
        ((one["category_name"], one["class_name"]), CLASS_NAMES[uid]),
        (one["severity"], SEVERITIES.get(one["severity_id"])),
        (one["action"], ACTIONS.get(one["action_id"])),
        (one["disposition"], DISPOSITIONS.get(one["disposition_id"])),
        (one["type_name"], f"{one['class_name']}: {one['activity_name']}"),
    )
    found += [f"{is_} instead of {should}" for is_, should in pairs if is_ != should]
    known = OTHER | ACTIVITIES[uid]
    if activity not in known or (activity != 99 and one["activity_name"] != known[activity]):
        found.append(f"activity {activity} {one['activity_name']}")
    return found


def test_each_event_is_an_object_of_its_class(objects: list[dict[str, Any]]) -> None:
    assert {one["class_uid"] for one in objects} == set(CLASSES)
    assert [(one["metadata"]["uid"], wrong(one)) for one in objects if wrong(one)] == []
    assert len({one["metadata"]["uid"] for one in objects}) == len(objects)


@pytest.mark.parametrize(
    ("uid", "spoil"),
    [
        ("s-all-e1", lambda one: one.pop("file")),
        ("s-all-e1", lambda one: one["file"].pop("type_id")),
        ("s-all-e1", lambda one: one["metadata"].pop("product")),
        ("s-all-e1", lambda one: one.update(time=one["time"] * 1000)),
        ("s-all-e1", lambda one: one.update(activity_id=14)),
        ("s-all-e4", lambda one: one.pop("process")),
        ("s-all-e6", lambda one: one.pop("http_request")),
        ("s-all-e6", lambda one: one["dst_endpoint"].pop("hostname")),
        ("s-all-e6", lambda one: one["traffic"].update(bytes_out="2312")),
        ("s-all-e6", lambda one: one.update(severity="Fatal")),
        ("s-all-e6:finding", lambda one: one["finding_info"].pop("uid")),
        ("s-rare-e2", lambda one: one["dst_endpoint"].update(ip="paste.example")),
    ],
)
def test_the_rules_refuse_what_is_wrong(objects: list[dict[str, Any]], uid: str, spoil: Any) -> None:
    one = json.loads(json.dumps(next(one for one in objects if one["metadata"]["uid"] == uid)))
    assert wrong(one) == []
    spoil(one)
    assert wrong(one) != []


def test_a_flow_is_a_finding_that_names_its_events(objects: list[dict[str, Any]]) -> None:
    by_uid = {one["metadata"]["uid"]: one for one in objects}
    found = by_uid["s-all-e6:finding"]
    assert [one["uid"] for one in found["finding_info"]["related_events"]] == ["s-all-e3", "s-all-e6"]
    assert found["evidences"][0]["http_request"]["url"]["url_string"] == "https://paste.example/curl"
    assert found["evidences"][1]["file"]["path"] == "/home/dev/src/shop/.env"
    assert (found["severity_id"], found["disposition_id"], found["unmapped"]["outcome"]) == (5, 19, "leaked")
    blocked = by_uid["s-all-e8:finding"]
    assert (blocked["action"], blocked["disposition"], blocked["is_alert"]) == ("Denied", "Blocked", True)
    assert by_uid["s-rare-e4"]["count"] == 40
    assert by_uid["s-all-e6"]["actor"]["process"]["parent_process"] == {"pid": 48311, "name": "bash"}
    assert by_uid["s-all-e9"]["class_uid"] == 0
    assert "s-all-e9:finding" not in by_uid


def test_bytes_are_told_where_they_are_known(told: Home, objects: list[dict[str, Any]]) -> None:
    with_traffic = {one["metadata"]["uid"]: one["traffic"] for one in objects if "traffic" in one}
    assert with_traffic["s-all-e6"] == {"bytes_out": 2_312}
    assert with_traffic.keys() == {one["metadata"]["uid"] for one in objects if one["class_uid"] in (4001, 4002)}
    with contextlib.closing(Reader(told.database)) as reader:
        sent = next(event for event in reader.events() if event.finding.uid == "s-all-e6")
    unknown = replace(sent, finding=replace(sent.finding, size=0))
    assert "traffic" not in json.loads(ocsf_lines(unknown).split("\n")[0])
