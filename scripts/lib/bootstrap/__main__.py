"""Makes and fills the project's virtual environment: `scripts/lib/bootstrap CHECKOUT SET NEWEST PLACE [PLACE]`.

Started by `venv.sh` with the Python that was found; standard library only. Takes the first PLACE that can be ours,
and the Python in it when that is no newer than 3.NEWEST.
Exit status: 0 ready, 2 after one line on stderr, 130 on Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from environment import Environment, install, is_current
from native import compile_native, is_compiled
from place import choose, locked
from talk import CAUSES, SetupError, say


def main(argv: list[str]) -> int:
    """Make the environment; the one place that prints an error."""
    root, chosen, newest, *places = argv
    # Set by venv.sh when AGENTGUARD_PYTHON is: an environment of any other Python will not do then.
    only = os.path.realpath(Environment.own_base()) if os.environ.get("AGENTGUARD_PYTHON") else ""
    try:
        place = choose(Path(root), [Path(place) for place in places])
        with locked(place) as lock:
            environment = Environment(Path(root), place)
            found = environment.inspect(int(newest), only)
            if found is None or not is_current(environment, found, chosen):
                install(environment, found, chosen, lock)
            if not is_compiled(environment):
                compile_native(environment, lock)
    except SetupError as error:
        say(str(error))
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        cause = (
            CAUSES[0][1] if full else f"{error.strerror or error} ({error.filename or 'no file named'}); repair that"
        )
        say(f"set-up failed: {cause}; then start again")
    except KeyboardInterrupt:
        say("set-up was interrupted; the next start begins it anew")
        return 130
    else:
        return 0
    return 2


raise SystemExit(main(sys.argv[1:]))
