"""What is about to be committed: the lines that the index brings in, not what lies on the disk."""

from __future__ import annotations

from agentguard.scan.git import Git
from agentguard.scan.git_options import FORMAT
from agentguard.scan.patch import Added, files_of


def staged(git: Git) -> list[Added]:
    """Every file that the index changes, with the lines that came in; `HEAD` may not exist yet.

    Raises:
        GitError: git fails.
    """
    return list(files_of(git.run("diff", "--cached", *FORMAT)))
