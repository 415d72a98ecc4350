"""A command line is looked at again when a secret has become known that it may hold."""

from agentguard.detect.quiet_commands import MAX_COMMANDS, QuietCommands


def test_quiet_until_something_becomes_known() -> None:
    quiet = QuietCommands()
    assert not quiet.holds(("make",), 3)
    quiet.add(("make",), 3)
    assert quiet.holds(("make",), 3)
    assert not quiet.holds(("make",), 4)
    assert not quiet.holds(("make", "all"), 3)


def test_it_forgets_rather_than_grows() -> None:
    quiet = QuietCommands()
    for number in range(MAX_COMMANDS + 1):
        quiet.add((str(number),), 0)
    assert not quiet.holds(("0",), 0)
    assert quiet.holds((str(MAX_COMMANDS),), 0)
