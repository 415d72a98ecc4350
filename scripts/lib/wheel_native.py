"""Puts the compiled C into the wheel, which is then for this platform; without a compiler the wheel is for all.

Hatchling runs this when it builds a wheel (pyproject.toml names it).
"""

from __future__ import annotations

import runpy
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path("agentguard", "native")


class NativeHook(BuildHookInterface[Any]):
    """Compiles into a folder of its own: nothing is left in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name what was made. An editable install (`version`) finds nothing in a wheel."""
        self._scratch = tempfile.TemporaryDirectory(prefix="agentguard-wheel-")
        if version == "editable":
            return
        build = runpy.run_path(str(Path(self.root) / PACKAGE / "build.py"))
        build["main"]([self._scratch.name])
        made = sorted(Path(self._scratch.name).glob("*.so"))
        for library in made:
            build_data["force_include"][str(library)] = str(PACKAGE / "compiled" / library.name)
        if made:
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"
        else:
            print("a wheel without compiled C", file=sys.stderr)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """The wheel is written: what was compiled for it can go."""
        self._scratch.cleanup()
