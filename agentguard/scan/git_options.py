"""How git is asked, so that it obeys nothing that a repository could use to run a program or to hide something.

Apart from what runs it: a commit hook starts git in its own way, before anything else is imported.
"""

from __future__ import annotations

ALWAYS = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.quotePath=false"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "log.showSignature=false"),
)
"""Before the command's own words."""

FORMAT = (
    "--patch",
    "--unified=0",
    "--inter-hunk-context=0",
    "--full-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--irreversible-delete",
)
"""What `agentguard.scan.patch` needs, whatever the user's or the repository's configuration says."""
