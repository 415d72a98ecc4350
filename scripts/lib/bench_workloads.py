"""The work whose time is measured, and the project it is done in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench_setting import Setting

HERE = Path(__file__).parent
PER_FOLDER = 200
COMPILERS = ("cc", "gcc", "clang")
STANDARD = "argparse, json, ssl, asyncio, sqlite3, email.message, http.client"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is of everything."""

    files: int
    """In the project's tree."""
    opens: int
    """Of one file, to see what an open costs."""
    processes: int
    modules: int
    """Of Python, in one program."""
    requires: int
    """Of Node, in one program."""
    cats: int
    """Reads of a secret, to see how many are told."""


FULL = Sizes(files=20_000, opens=100_000, processes=200, modules=250, requires=600, cats=1000)
QUICK = Sizes(files=200, opens=1000, processes=5, modules=10, requires=10, cats=30)


@dataclass(frozen=True, slots=True)
class Workload:
    """A shell script that is run in the project."""

    name: str
    script: str
    opens: int = 0
    """It is nothing but so many opens: what one costs is told, too."""
    elsewhere: bool = False
    """Most of the files it opens are the system's, not the project's."""


def workloads(setting: Setting, sizes: Sizes) -> Iterator[Workload | str]:
    """All that can be done on this machine; for what cannot, a line that says why."""
    thousands = f"{sizes.files // 1000}k files" if sizes.files >= 1000 else f"{sizes.files} files"
    if shutil.which("git"):
        yield Workload(f"git status, {thousands}", "git status --porcelain")
    else:
        yield "no git status: git is not installed"
    yield Workload(f"grep -r, {thousands}", "grep -rc nothing-like-this tree; true")
    yield from _searches(setting, thousands)
    static, dynamic = (setting.base / name for name in ("static-opener", "dynamic-opener"))
    reader = setting.base / "static-reader"
    why = compile_c("bench_reader.c", reader, static=True)
    yield why or Workload(f"static C reader, {thousands}", f"{reader} tree")
    yield Workload("python start", f"{sys.executable} -c 'import {STANDARD}'", elsewhere=True)
    yield Workload(f"python, {sizes.modules} modules", f"{sys.executable} modules/start.py")
    if shutil.which("node"):
        yield Workload("node start", "node -e 'require(\"https\")'", elsewhere=True)
        yield Workload(f"node, {sizes.requires} requires", "node start.js")
    else:
        yield "no node: it is not installed"
    many = f"i=0; while [ $i -lt {sizes.processes} ]; do /bin/true; i=$((i+1)); done"
    yield Workload(f"{sizes.processes} fork+exec", many, elsewhere=True)
    for kind, program in (("dynamic", dynamic), ("static", static)):
        why = compile_c("bench_opener.c", program, static=program is static)
        script = f"{program} tree/d0/f0.txt {sizes.opens}"
        yield why or Workload(f"{sizes.opens:,} opens, {kind} C", script, opens=sizes.opens)


def _searches(setting: Setting, thousands: str) -> Iterator[Workload | str]:
    """Each rg there is: a static one cannot be served by a preloaded library, so it matters which it is."""
    found = shutil.which("rg")
    programs = {Path(one).resolve() for one in (found, setting.further_rg) if one}
    for program in sorted(programs):
        kind = "dynamic" if b"/ld-" in program.read_bytes()[:4096] else "static"
        yield Workload(f"rg ({kind}), {thousands}", f"'{program}' -uuu -c nothing-like-this tree; true")
    if not programs:
        yield "no rg: it is not installed (Debian: ripgrep)"


def compile_c(source: str, target: Path, *, static: bool) -> str:
    """Compile a file that lies beside this one. Returns why it could not be, or nothing."""
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        return f"no {target.name}: there is no C compiler"
    words = [compiler, "-O2", *(["-static"] if static else []), "-o", str(target), str(HERE / source)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return f"no {target.name}: the C compiler failed" if done.returncode else ""


def make_project(setting: Setting, sizes: Sizes) -> Path:
    """A repository of small files with one secret, and programs of many modules. A copy serves each sensor."""
    project = setting.base / "template"
    (project / "tree").mkdir(parents=True)
    for number in range(sizes.files):
        folder = project / "tree" / f"d{number // PER_FOLDER}"
        if number % PER_FOLDER == 0:
            folder.mkdir()
        (folder / f"f{number}.txt").write_text(f"line of file {number}\n" * 8)
    write_secret(project / "tree" / ".env")
    for name in ("one-by-one", "eight-at-once"):
        write_secret(project / "cats" / name / ".env")
    _write_modules(project, sizes)
    (project / ".gitignore").write_text("/cats\n/modules\n/node_modules\n")
    if shutil.which("git"):
        _commit(project, setting.environ())
    return project


def write_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("DEBUG=true\nTOKEN=" + os.urandom(16).hex() + "\n")


def _write_modules(project: Path, sizes: Sizes) -> None:
    package = project / "modules" / "many"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for number in range(sizes.modules):
        (package / f"m{number}.py").write_text(f"VALUE = {number}\n")
    start = "".join(f"import many.m{number}\n" for number in range(sizes.modules))
    (project / "modules" / "start.py").write_text(start)
    for number in range(sizes.requires):
        folder = project / "node_modules" / f"m{number}"
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(f'{{"name": "m{number}", "version": "1.0.0", "main": "index.js"}}\n')
        (folder / "index.js").write_text(f"module.exports = {number};\n")
    (project / "start.js").write_text("".join(f"require('m{number}');\n" for number in range(sizes.requires)))


def _commit(project: Path, env: dict[str, str]) -> None:
    settings = ("user.name=bench", "user.email=bench@localhost", "gc.auto=0", "maintenance.auto=false")
    git = ["git", *(word for setting in settings for word in ("-c", setting))]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "bench"], ["gc", "-q", "--prune=now"]):
        subprocess.run([*git, *words], cwd=project, env=env, check=True)


def cat_scripts(sizes: Sizes) -> dict[str, str]:
    """Reads of a secret, each by a process of its own that notes its pid: folder of the secret → script."""
    one = "echo $$ >>cats/{0}.pids; exec cat cats/{0}/.env >/dev/null"
    sequential = one.format("one-by-one")
    parallel = one.format("eight-at-once")
    return {
        "one-by-one": f"i=0; while [ $i -lt {sizes.cats} ]; do sh -c '{sequential}'; i=$((i+1)); done",
        "eight-at-once": f"seq {sizes.cats} | xargs -P8 -n1 sh -c '{parallel}'",
    }
