"""What an installed hook starts: `python -I -S start.py HOME PACKAGES HOOK ARGUMENT...`.

Isolated (-I), so that no variable and no folder of the repository puts modules before ours; without site (-S), which a
commit would wait for.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path += [__file__.removesuffix("/agentguard/hooks/start.py"), sys.argv[2]]

    from agentguard.hooks.lean import put_typing_off

    put_typing_off()
    from agentguard.hooks.closed import run

    run(sys.argv[3], sys.argv[4:], sys.argv[1])
