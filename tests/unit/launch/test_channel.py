"""Messages and descriptors between the processes of a session."""

from __future__ import annotations

import os

from agentguard.launch.channel import Channel


def test_messages_keep_their_order_and_their_descriptors() -> None:
    ours, theirs = Channel.pair()
    reading, writing = os.pipe()
    assert ours.send({"type": "a"})
    assert ours.send({"type": "b"}, (writing,))
    assert ours.send({"type": "c", "text": "x" * 100_000})
    assert theirs.receive() == ({"type": "a"}, [])
    received = theirs.receive()
    assert received
    message, (descriptor,) = received
    assert message == {"type": "b"}
    os.write(descriptor, b"through")
    assert os.read(reading, 10) == b"through"
    last = theirs.receive()
    assert last
    assert len(last[0]["text"]) == 100_000
    for number in (reading, writing, descriptor):
        os.close(number)


def test_a_vanished_peer_is_an_end() -> None:
    ours, theirs = Channel.pair()
    theirs.close()
    assert ours.receive() is None
    assert not ours.send({"type": "a"}) or ours.receive() is None
