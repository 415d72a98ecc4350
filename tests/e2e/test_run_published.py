"""What real programs publish: the secret is seen in what they pack, and the rule says what it means."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from harness.guarded import Event, Guarded
from harness.planted import Planted
from proxy_support.git_host import code_host
from proxy_support.servers import LoopbackServer, http1
from proxy_support.session import World

pytestmark = pytest.mark.slow

HOST = "code.example"
ME = "-c user.name=me -c user.email=me@example -c init.defaultBranch=main -c safe.directory=*"


def sent_from(guarded: Guarded, world: World, port: int, script: str) -> list[Event]:
    options = ("--quiet", f"--resolve={HOST}=127.0.0.1:{port}", f"--upstream-ca={world.ca}")
    done = guarded.run("sh", "-ec", script, options=options)
    assert done.returncode == 0, done.stderr
    return [event for event in guarded.events() if event["activity"] == "send"]


def bare_repository(folder: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("no git")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder / "shop.git")], env=env, check=True)


def test_a_committed_env_that_is_pushed(guarded: Guarded, planted: Planted, tmp_path: Path) -> None:
    """Two pushes: the second holds a difference to a file that the server has."""
    bare_repository(tmp_path)
    world = World(tmp_path)
    script = f"""
        git {ME} init -q; seq 1 400 > notes.txt; git {ME} add notes.txt; git {ME} commit -qm one
        git {ME} push -q https://{HOST}/shop.git HEAD:main
        cat .env >> notes.txt; git {ME} add notes.txt; git {ME} commit -qm two
        git {ME} push -q https://{HOST}/shop.git HEAD:main
    """
    with code_host(tmp_path, world.tls((HOST,))) as port:
        (sent,) = sent_from(guarded, world, port, script)
    assert sent["rule"] == "policies/default.yaml:pushed-with-git"
    assert (sent["severity"], sent["outcome"]) == ("critical", "leaked")
    assert sent["process"]["name"].startswith("git")
    assert {match["name"] for match in sent["matches"]} >= {"OPENAI_API_KEY", "INTERNAL_TOKEN"}
    assert all("git-push" in match["encoding"] for match in sent["matches"])
    assert sent["flow"], "the file was read before"


def test_a_push_without_a_secret_is_no_event(guarded: Guarded, planted: Planted, tmp_path: Path) -> None:
    bare_repository(tmp_path)
    world = World(tmp_path)
    script = f"""
        git {ME} init -q; seq 1 4000 > notes.txt; git {ME} add notes.txt; git {ME} commit -qm one
        git {ME} push -q https://{HOST}/shop.git HEAD:main
    """
    with code_host(tmp_path, world.tls((HOST,))) as port:
        assert sent_from(guarded, world, port, script) == []


def test_uploads_of_packages(guarded: Guarded, planted: Planted, tmp_path: Path) -> None:
    """The bodies that npm, twine and cargo make, sent by a program of the test."""
    files = guarded.project / "upload"
    files.mkdir()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(planted.path, "package/.env")
    npm = {"name": "shop", "_attachments": {"shop.tgz": {"data": base64.b64encode(packed.getvalue()).decode()}}}
    (files / "npm.json").write_text(json.dumps(npm))
    with zipfile.ZipFile(files / "shop.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.write(planted.path, "shop/.env")
    about = b'{"name":"shop"}'
    sizes = [len(part).to_bytes(4, "little") for part in (about, packed.getvalue())]
    (files / "shop.crate").write_bytes(sizes[0] + about + sizes[1] + packed.getvalue())
    url = f"https://{HOST}"
    script = f"""
        curl -sSf -H 'Content-Type: application/json' -T upload/npm.json {url}/api/v4/projects/1/packages/npm/shop
        curl -sSf -F name=shop -F content=@upload/shop.whl {url}/legacy/
        curl -sSf -X PUT --data-binary @upload/shop.crate {url}/api/v1/crates/new
    """
    world = World(tmp_path)
    with LoopbackServer(http1, world.tls((HOST,))) as server:
        events = sent_from(guarded, world, server.port, script)
    assert [event["rule"] for event in events] == ["policies/default.yaml:published-as-package"] * 3
    places = [{match["place"] for match in event["matches"]} for event in events]
    assert places == [{"body"}, {"multipart:content"}, {"body"}]
    codings = [event["matches"][0]["encoding"] for event in events]
    assert codings == [["base64", "gzip"], ["zip"], ["crate"]]


def test_strict_holds_a_push_back(guarded: Guarded, planted: Planted, tmp_path: Path) -> None:
    bare_repository(tmp_path)
    world = World(tmp_path)
    guarded.home.mkdir(mode=0o700, exist_ok=True)
    (guarded.home / "policy.yaml").write_text("version: 1\nextends: strict\n")
    script = f"""
        git {ME} init -q; git {ME} add -f .env; git {ME} commit -qm one
        ! git {ME} push -q https://{HOST}/shop.git HEAD:main
    """
    with code_host(tmp_path, world.tls((HOST,))) as port:
        (sent,) = sent_from(guarded, world, port, script)
    assert sent["disposition"] == "blocked"
    refs = subprocess.run(["git", "-C", str(tmp_path / "shop.git"), "for-each-ref"], capture_output=True, check=True)
    assert refs.stdout == b"", "nothing arrived"
