"""notify.yaml: what it may say, and what each mistake is answered with."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from agentguard.errors import AgentGuardError, ConfigError
from agentguard.show.notify.alarm import Need
from agentguard.show.notify.settings import Channel, Kind, Settings, chosen, load_settings, settings_of

FULL = """\
version: 1
channels:
  - desktop
  - terminal
  - name: phone
    command: [ntfy, publish, my-topic]
    timeout: 20s
  - webhook: https://hooks.example.com/agentguard?x=1
    secret: file:~/.config/agentguard/webhook
tell: [leaked, sensor]
every: 5m
repeat_after: 1d
"""


def settings(folder: Path, text: str) -> Settings:
    path = folder / "notify.yaml"
    path.write_text(text)
    path.chmod(0o600)
    return load_settings(path)


def test_without_a_file_there_are_the_desktop_and_the_bell(tmp_path: Path) -> None:
    found = load_settings(tmp_path / "notify.yaml")
    assert [channel.name for channel in found.channels] == ["desktop", "terminal"]
    assert not any(channel.asked_for for channel in found.channels)
    assert found.tell == frozenset(Need)


def test_all_that_it_may_say(tmp_path: Path) -> None:
    found = settings(tmp_path, FULL)
    assert found == Settings(
        channels=(
            Channel(name="desktop", kind=Kind.DESKTOP),
            Channel(name="terminal", kind=Kind.TERMINAL),
            Channel(name="phone", kind=Kind.COMMAND, argv=("ntfy", "publish", "my-topic"), timeout_seconds=20),
            Channel(
                name="webhook",
                kind=Kind.WEBHOOK,
                url="https://hooks.example.com/agentguard?x=1",
                secret="file:~/.config/agentguard/webhook",
            ),
        ),
        tell=frozenset({Need.LEAKED, Need.SENSOR}),
        every_seconds=300,
        repeat_seconds=86_400,
    )
    assert found.terminal
    assert [channel.name for channel in found.outgoing] == ["desktop", "phone", "webhook"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: settings are a mapping"),
        ("version: 2", "1: version must be 1"),
        ("channels: []", "1: version must be 1"),
        ("version: 1\nchanels: []", "2: 'chanels' is not known here; there are version, channels, tell, every"),
        ("version: 1\nchannels: desktop", "2: channels must be a list"),
        ("version: 1\nchannels:\n  - destkop", "3: there is no channel 'destkop'; write desktop or terminal"),
        ("version: 1\nchannels:\n  - name: x", "3: a channel needs command or webhook"),
        ("version: 1\nchannels:\n  - command: rm -rf /", "3: command must be a list"),
        ("version: 1\nchannels:\n  - command: []", "3: command names no program"),
        ("version: 1\nchannels:\n  - command: [x]\n    shell: yes", "4: 'shell' is not known here"),
        ("version: 1\nchannels:\n  - command: [x]\n    timeout: 5", "4: timeout must be a time from 1s to 60s"),
        ("version: 1\nchannels:\n  - command: [x]\n    timeout: 2m", "4: timeout must be a time"),
        ("version: 1\nchannels:\n  - command: [x]\n    name: none", "4: 'none' cannot be the name"),
        ("version: 1\nchannels:\n  - command: [x]\n    name: A b", "4: 'A b' cannot be the name"),
        ("version: 1\nchannels: [desktop, desktop]", "2: there are two channels called 'desktop'"),
        ("version: 1\nchannels:\n  - webhook: http://h.example/", "3: webhook: must be https (http only for this"),
        ("version: 1\nchannels:\n  - webhook: http://localhost.evil.example/", "3: webhook: must be https"),
        ("version: 1\nchannels:\n  - webhook: ftp://h.example/", "3: webhook: must be https"),
        ("version: 1\nchannels:\n  - webhook: https:///path", "3: webhook: this is no address"),
        ("version: 1\nchannels:\n  - webhook: https://h.example:99999/", "3: webhook: this is no address"),
        ("version: 1\nchannels:\n  - webhook: https://u:p@h.example/", "3: webhook: a user and password"),
        ('version: 1\nchannels:\n  - webhook: "https://h.example/\\r\\nX: y"', "3: webhook: this is no address"),
        ("version: 1\nchannels:\n  - webhook: https://h.example/\n    secret: hunter2", "4: secret must be file:PATH"),
        ("version: 1\nchannels:\n  - webhook: https://h.example/\n    secret: file:rel", "4: secret must be file:PATH"),
        ("version: 1\ntell: [leak]", "2: tell: 'leak' is not known; there are leaked, critical"),
        ("version: 1\nevery: soon", "2: every must be a time from 1s"),
        ("version: 1\nevery: 0s", "2: every must be a time from 1s"),
        ("version: 1\nx: &a 1", "2: anchors and aliases"),
        ("version: 1\nversion: 1", "2: 'version' is given twice"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AgentGuardError) as caught:
        settings(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/notify.yaml:{said}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/x", "http://[::1]:1/", "http://localhost/", "https://h.example"]
)
def test_only_this_machine_may_be_told_without_tls(tmp_path: Path, url: str) -> None:
    assert settings(tmp_path, f"version: 1\nchannels:\n  - webhook: {url}").channels[0].url == url


def test_what_others_may_write_is_not_obeyed(tmp_path: Path) -> None:
    """It names programs that the guard itself starts."""
    path = tmp_path / "notify.yaml"
    path.write_text(FULL)
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="others may write to it"):
        load_settings(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="must be a regular file"):
        load_settings(path)


def test_channels_named_on_the_command_line_take_the_place_of_the_others(tmp_path: Path) -> None:
    found = settings(tmp_path, FULL)
    assert [channel.name for channel in chosen(found, ["phone", "phone"]).channels] == ["phone"]
    assert chosen(found, ["phone"]).every_seconds == 300
    assert chosen(found, ["none"]).channels == ()
    assert settings_of(tmp_path / "absent", ["desktop"]).channels == (Channel(name="desktop", kind=Kind.DESKTOP),)
    with pytest.raises(
        ConfigError, match="no channel 'team' to notify by; there are desktop, terminal, phone, webhook"
    ):
        chosen(found, ["team"])
    assert chosen(dataclasses.replace(found, channels=()), ["desktop"]).channels[0].asked_for
