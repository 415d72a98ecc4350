"""The gate on real processes: each secret read is seen, exactly, and nothing else is held."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.ordinary_user import open_folder, ordinary_user_prefix

from agentguard.native.find import find_library

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's"),
    pytest.mark.skipif(find_library("gate") is None, reason="the gate is not compiled here"),
]

REPOSITORY = Path(__file__).resolve().parents[3]
HARNESS = REPOSITORY / "tests/harness/under_seccomp.py"

Seen = list[dict[str, Any]]


class Behind:
    """Runs commands behind the gate, in a project of one secret file, `.env`, and an ordinary one, `plain`."""

    def __init__(self, base: Path, prefix: tuple[str, ...] = ()) -> None:
        self.base = base
        self.project = base / "project"
        self.prefix = prefix
        self.output = ""
        self.errors = ""
        self.status = 0
        self._rounds = 0

    def __call__(self, *command: str, **variables: str) -> Seen:
        self._rounds += 1
        folder = self.base / f"run{self._rounds}"
        folder.mkdir()
        folder.chmod(0o777)
        done = subprocess.run(
            [*self.prefix, sys.executable, HARNESS, "--gate", folder, self.project / ".env", *command],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.project,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONDONTWRITEBYTECODE": "1",
                "RUN_FOLDER": str(folder),
                **variables,
            },
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
        if lines and "unavailable" in lines[0]:
            pytest.skip(f"seccomp cannot be used here (errno {lines[0]['unavailable']})")
        self.errors = done.stderr
        self.status = done.returncode
        self.output = "\n".join(line for line in done.stdout.splitlines() if not line.startswith('{"'))
        assert {"type": "gate", "proved": True} in lines, done.stderr
        return [line for line in lines if line["type"] not in {"gate", "loop"}]


@pytest.fixture
def behind() -> Iterator[Behind]:
    with open_folder() as base:
        project = base / "project"
        project.mkdir()
        (project / ".env").write_text("PLAIN=1\n")
        (project / "plain").write_text("nothing\n")
        (project / "symbolic").symlink_to(".env")
        os.link(project / ".env", project / "hard")
        for path in (project, project / ".env", project / "plain"):
            path.chmod(0o777)
        yield Behind(base)


@pytest.fixture
def compiled(behind: Behind) -> Callable[..., Path]:
    """Compiles a C program or library into the project."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler")

    def compile_it(text: str, *options: str) -> Path:
        target = behind.base / f"built{len(list(behind.base.glob('built*')))}"
        source = target.with_suffix(".c")
        source.write_text(text)
        done = subprocess.run([compiler, "-o", target, source, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"cannot be compiled here: {done.stderr[-200:]}")
        return target

    return compile_it


def reads(seen: Seen) -> Seen:
    return [line for line in seen if line["type"] == "file"]


READERS = {
    "cat": "cat {name}",
    "shell redirection": "while read -r line; do :; done < {name}",
    "source": ". ./{name}",
    "dd": "dd if={name} status=none",
    "cp": "cp {name} copy",
    "grep": "grep PLAIN {name}",
    "grep -r": "mkdir sub; ln -L {name} sub/other; grep -r PLAIN sub",
    "sed": "sed p {name}",
    "awk": "awk 1 {name}",
    "perl": "perl -pe 1 {name}",
    "python": shlex.join([sys.executable, "-c", "open('{name}').read()"]),
    "python, os.open": shlex.join([sys.executable, "-c", "import os; os.open('{name}', os.O_RDWR)"]),
    "python, dirfd": shlex.join(
        [sys.executable, "-c", "import os; os.open('{name}', 0, dir_fd=os.open('.', os.O_DIRECTORY))"]
    ),
    "node": "node -e 'require(`fs`).readFileSync(`{name}`)'",
    "git": "git -c core.safecrlf=false hash-object {name}",
    "tar": "tar -chf - {name} | cat >/dev/null",
    "gzip": "gzip -cf {name} >/dev/null",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["hard", "symbolic"])
def test_a_read_by_any_program_under_any_name_is_seen_once_with_its_pid(behind: Behind, reader: str, name: str) -> None:
    command = READERS[reader].format(name=name)
    program = Path(shlex.split(command)[0]).name
    if not shutil.which(shlex.split(command)[0]) and program not in {"while", ".", "mkdir"}:
        pytest.skip(f"there is no {program}")
    found = reads(behind("sh", "-c", f"{command}; echo status $?"))
    assert behind.output.endswith("status 0"), behind.errors
    assert {(line["pid"], line["path"]) for line in found} == {(found[0]["pid"], str(behind.project / ".env"))}
    assert len(found) == 1


def test_its_pid_is_that_of_the_process_that_opened(behind: Behind) -> None:
    script = "import os; print(os.getpid(), flush=True); child = os.fork(); open('hard').read(); child and os.wait()"
    found = reads(behind(sys.executable, "-c", script))
    parent = int(behind.output)
    assert len(found) == 2
    assert parent in {line["pid"] for line in found}
    other = next(line for line in found if line["pid"] != parent)
    assert other["ancestors"][0][0] == parent


def test_every_one_of_many_reads_in_parallel_is_seen(behind: Behind) -> None:
    found = reads(behind("sh", "-c", "seq 200 | xargs -P8 -I_ cat hard plain"))
    assert len(found) == 200
    assert len({line["pid"] for line in found}) == 200


def test_an_ordinary_user_gets_the_same(behind: Behind) -> None:
    behind.prefix = ordinary_user_prefix()
    found = reads(behind("sh", "-c", "cat plain; cat hard; cat symbolic; cat .env"))
    assert [line["opened_as"] for line in found] == ["hard", "symbolic", ".env"]
    assert {line["name"] for line in found} == {"cat"}


# --- what passes is not held ----------------------------------------------------------------------

COUNT = """
import os, resource, sys
def waits():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
names = sys.argv[1:]
for name in names:
    open(name).close()
before = waits()
for _ in range(200):
    for name in names:
        os.close(os.open(name, os.O_RDONLY))
print(waits() - before)
"""


def test_an_ordinary_open_is_not_held_and_a_secret_one_is(behind: Behind) -> None:
    assert reads(behind(sys.executable, "-c", COUNT, "plain", "/etc/passwd")) == []
    assert int(behind.output) < 20
    assert len(reads(behind(sys.executable, "-c", COUNT, "hard"))) == 201
    assert int(behind.output) >= 200


def test_without_the_preloaded_library_every_open_is_held(behind: Behind) -> None:
    behind("env", "-u", "LD_PRELOAD", sys.executable, "-c", COUNT, "plain")
    assert int(behind.output) >= 200


def test_no_file_of_a_searched_tree_is_held(behind: Behind) -> None:
    tree = behind.project / "tree"
    tree.mkdir()
    for number in range(1000):
        (tree / f"file{number}").write_text("nothing\n")
    script = (
        "import resource, subprocess; subprocess.run(['grep', '-r', 'needle', 'tree']);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_nvcsw)"
    )
    behind(sys.executable, "-c", script)
    assert int(behind.output) < 200  # loading it, and its locale: about 50


# --- what it must not change ----------------------------------------------------------------------

SAME = """
import errno, json, os, sys
def attempt(name, flags, mode=0o600):
    try:
        descriptor = os.open(name, flags, mode)
    except OSError as error:
        return errno.errorcode[error.errno]
    try:
        return [oct(os.fstat(descriptor).st_mode), os.fstat(descriptor).st_size]
    finally:
        os.close(descriptor)
os.umask(0o027)
os.mkfifo("fifo") if not os.path.exists("fifo") else None
print(json.dumps([
    attempt("missing", os.O_RDONLY), attempt("plain/below", os.O_RDONLY), attempt("", os.O_RDONLY),
    attempt(".", os.O_RDONLY), attempt(".", os.O_RDWR), attempt("plain", os.O_RDONLY | os.O_DIRECTORY),
    attempt("x" * 300, os.O_RDONLY), attempt("/" * 5000, os.O_RDONLY),
    attempt("loop", os.O_RDONLY), attempt("dangling", os.O_RDONLY), attempt("dangling", os.O_RDWR | os.O_CREAT),
    attempt("target", os.O_RDONLY), attempt("symbolic", os.O_RDONLY | os.O_NOFOLLOW),
    attempt("new", os.O_RDWR | os.O_CREAT, 0o666), attempt("new", os.O_RDWR | os.O_CREAT | os.O_EXCL),
    attempt("other", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644), attempt("made", os.O_WRONLY | os.O_CREAT, 0o640),
    attempt("plain", os.O_RDONLY | os.O_PATH), attempt("fifo", os.O_RDONLY | os.O_NONBLOCK),
    attempt("fifo", os.O_WRONLY | os.O_NONBLOCK), attempt(".", os.O_RDWR | os.O_TMPFILE, 0o640),
    attempt("/dev/fd/0", os.O_RDONLY), attempt("/proc/self/exe", os.O_RDONLY), attempt("plain", os.O_RDWR | os.O_TRUNC),
]))
"""


def test_each_way_to_open_answers_what_it_does_without(behind: Behind) -> None:
    answers = []
    for extra in ((), ("env", "-u", "LD_PRELOAD")):
        for name in ("new", "other", "made", "target"):
            (behind.project / name).unlink(missing_ok=True)
        (behind.project / "plain").write_text("nothing\n")
        for name, target in (("loop", "loop"), ("dangling", "target")):
            (behind.project / name).unlink(missing_ok=True)
            (behind.project / name).symlink_to(target)
        behind(*extra, sys.executable, "-c", SAME)
        answers.append(json.loads(behind.output))
    assert answers[0] == answers[1]
    assert "ENOENT" in answers[0]
    assert "ELOOP" in answers[0]


def test_a_pointer_that_leads_nowhere_is_refused_by_the_kernel(behind: Behind, compiled: Callable[..., Path]) -> None:
    program = compiled(
        """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <sys/mman.h>
        int main(void) {
            void *none = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            const char *volatile bad[] = { 0, (char *)8, (char *)-1, none };
            for (int i = 0; i < 4; i++)
                errno = 0, printf("%d ", open(bad[i], O_RDONLY)), printf("%d\\n", errno == EFAULT);
            return 0;
        }""",
        "-w",
    )
    behind(str(program))
    assert behind.output.splitlines() == ["-1 1"] * 4


def test_the_agents_own_preloaded_library_is_asked_first(behind: Behind, compiled: Callable[..., Path]) -> None:
    own = compiled(
        """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdarg.h>
        #include <string.h>
        int open64(const char *path, int flags, ...) {
            int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
            return next(strcmp(path, "elsewhere") ? path : "hard", flags, 0600);
        }""",
        "-shared",
        "-fPIC",
    )
    found = reads(
        behind(sys.executable, "-c", "import os; print(os.read(os.open('elsewhere', 0), 9))", LD_PRELOAD=str(own))
    )
    assert "PLAIN" in behind.output
    assert [line["opened_as"] for line in found] == ["hard"]
    behind("sh", "-c", "echo $LD_PRELOAD", LD_PRELOAD=str(own))
    assert behind.output.startswith(f"{own}:")


def test_programs_with_the_address_sanitizer_run(behind: Behind, compiled: Callable[..., Path]) -> None:
    program = compiled(
        "#include <fcntl.h>\nint main(int n, char **v) { return open(v[n - 1], O_RDONLY) < 0; }", "-fsanitize=address"
    )
    found = reads(behind(str(program), "hard"))
    assert behind.status == 0, behind.errors
    assert len(found) == 1
    assert "AddressSanitizer" not in behind.errors
    behind("sh", "-c", "echo $ASAN_OPTIONS", ASAN_OPTIONS="detect_leaks=0")
    assert behind.output == "detect_leaks=0:verify_asan_link_order=0"


DENY_WRITE_EXECUTE = """
import ctypes
PR_SET_MDWE = 65
refused = ctypes.CDLL(None).prctl(PR_SET_MDWE, 1, 0, 0, 0)
print("refused" if refused else "set", flush=True)
import os
os.execvp("cat", ["cat", "plain", "hard"])
"""


def test_a_process_that_denies_itself_writable_code_works(behind: Behind) -> None:
    found = reads(behind(sys.executable, "-c", DENY_WRITE_EXECUTE))
    if behind.output.startswith("refused"):
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert behind.output.splitlines() == ["set", "nothing", "PLAIN=1"]
    assert [line["name"] for line in found] == ["cat"]


def test_children_threads_and_signal_handlers(behind: Behind, compiled: Callable[..., Path]) -> None:
    program = compiled(
        """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <pthread.h>
        #include <signal.h>
        #include <stdio.h>
        #include <sys/time.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static volatile int in_handler, failed;
        static void try(const char *name) {
            int file = open(name, O_RDONLY);
            if (file < 0) failed = 1; else close(file);
        }
        static void on_alarm(int n) { (void)n; try("plain"); in_handler++; }
        static void *many(void *name) {
            for (int i = 0; i < 3000; i++) try("plain");
            try(name);
            return 0;
        }
        int main(void) {
            struct itimerval often = { { 0, 200 }, { 0, 200 } };
            struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
            sigaction(SIGALRM, &action, 0);
            setitimer(ITIMER_REAL, &often, 0);
            pthread_t threads[4];
            for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, many, "hard");
            for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
            setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, 0);
            pid_t child = fork();
            if (!child) { try("hard"); _exit(failed); }
            int status, bad = failed;
            waitpid(child, &status, 0);
            bad |= status;
            child = vfork();
            if (!child) { try("hard"); execlp("cat", "cat", "hard", (char *)0); }
            waitpid(child, &status, 0);
            printf("%d %d %d\\n", in_handler > 0, bad, status);
            return 0;
        }""",
        "-pthread",
    )
    found = reads(behind(str(program)))
    assert behind.output.splitlines()[-1] == "1 0 0"
    assert len(found) == 4 + 1 + 2
    assert len({line["pid"] for line in found}) == 3


def test_where_the_library_cannot_be_reached_the_loader_says_so_and_all_is_held(behind: Behind) -> None:
    """A sandbox that hides the run folder. The loader's line cannot be kept from it: only it knows, and only then."""
    hide = 'mount -t tmpfs none "$RUN_FOLDER" && exec cat plain hard'
    found = reads(behind("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", hide))
    if behind.status:
        pytest.skip(f"no mount namespace can be made here: {behind.errors[-100:]}")
    assert behind.output.splitlines() == ["nothing", "PLAIN=1"]
    assert [line["name"] for line in found] == ["cat"]
    assert "from LD_PRELOAD cannot be preloaded" in behind.errors


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="only root can become another user")
def test_a_process_of_another_user_that_may_not_read_the_table_is_held(behind: Behind) -> None:
    found = reads(behind("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", "plain", "hard"))
    assert behind.output.splitlines() == ["nothing", "PLAIN=1"]
    assert behind.errors == ""
    assert len(found) == 1


# --- the table is live ----------------------------------------------------------------------------

LIVE = """
import os, sys, time
waiting = os.environ["RUN_FOLDER"]
open("plain").close()
with open(waiting + "/asked", "w") as asked:
    asked.write(os.path.realpath("plain"))
os.rename(waiting + "/asked", waiting + "/more")
while not os.path.exists(waiting + "/taken"):
    time.sleep(0.005)
open("plain").close()
"""


def test_a_file_that_becomes_secret_is_seen_by_a_process_that_runs_already(behind: Behind) -> None:
    found = reads(behind(sys.executable, "-c", LIVE))
    assert [line["opened_as"] for line in found] == ["plain"]


def test_a_new_file_of_a_telling_name_is_seen_when_it_is_opened(behind: Behind) -> None:
    found = reads(behind("sh", "-c", "echo 1 > made; cat made; mv made .env.late; cat .env.late; cat .env.late"))
    assert [line["opened_as"] for line in found] == [".env.late"] * 2


# --- who does not take the gate as it is meant --------------------------------------------------------

CALLS_IT = (REPOSITORY / "tests/harness/calls_gate.c").read_text()

ON_X86 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="written in x86_64 code")


@ON_X86
def test_no_other_call_passes_at_the_gates_address(behind: Behind, compiled: Callable[..., Path]) -> None:
    program = str(compiled(CALLS_IT))
    assert [line["port"] for line in behind(program, "connect") if line["type"] == "connect"] == [9]
    execs = [line["cmdline"] for line in behind(program, "execve") if line["type"] == "exec"]
    assert execs[-1] == ["cat", "plain"]
    assert len(reads(behind(program, "open"))) == 1
    assert behind.output == "1"


@ON_X86
def test_native_code_that_looks_for_the_gate_opens_unseen(behind: Behind, compiled: Callable[..., Path]) -> None:
    """What the gate cannot see, and the README says so. The watch of the folder still shows that it was opened."""
    program = str(compiled(CALLS_IT))
    assert reads(behind(program, "openat")) == []
    assert behind.output == "1"


def test_the_gates_page_is_where_nothing_else_lies(behind: Behind) -> None:
    text = "print(open('/proc/self/maps').read())"
    behind(sys.executable, "-c", text)
    starts = [line.split("-")[0] for line in behind.output.splitlines() if "gate.so" in line and "r-xp" in line]
    assert sum(0x5500_0000_0000 <= int(start, 16) < 0x5555_0000_0000 for start in starts) == 1
