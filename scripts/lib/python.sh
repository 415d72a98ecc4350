# Finds a Python that can carry AgentGuard. Sourced by the scripts beside; POSIX sh, no bashisms (macOS, dash).
#
# A Python is usable when it runs, not when its name is found: version managers leave shims that fail, Debian ships
# Python without ensurepip, and a build may lack sqlite3 or ctypes.

newest=14 # the newest 3.x that the pinned dependencies have wheels for
oldest=11

# Prints three lines when it can carry us: 3.MINOR, its path, and the real file behind it (below a venv, behind a shim).
# Else one line on stderr, and a failure.
probe_code='
import os, sys
minor = sys.version_info[1]
if sys.version_info[0] != 3 or not int(sys.argv[1]) <= minor <= int(sys.argv[2]):
    sys.exit("is Python %d.%d; 3.%s to 3.%s will do" % (sys.version_info[:2] + tuple(sys.argv[1:3])))
try:
    import ctypes, ensurepip, fcntl, sqlite3, ssl, venv
except ImportError as error:
    sys.exit("has no module %s" % error.name)
if sqlite3.sqlite_version_info < (3, 37):
    sys.exit("has SQLite %s; 3.37 or newer is needed" % sqlite3.sqlite_version)
print("3.%d\n%s\n%s" % (minor, sys.executable, os.path.realpath(getattr(sys, "_base_executable", sys.executable))))
'

say() { printf 'agentguard: %s\n' "$*" >&2; }

# probe FILE: sets $python, $python_minor ("3.13") and $python_base; or $reason, why FILE cannot be used.
probe() {
  if { answer=$("$1" -I -c "$probe_code" "$oldest" "$newest" 2>&1 </dev/null); } 2>/dev/null; then
    { IFS= read -r python_minor && IFS= read -r python && IFS= read -r python_base; } <<EOF
$answer
EOF
    case "$python_minor" in 3.*) [ -x "$python" ] && return 0 ;; esac
    python='' reason="did not answer as Python does"
    return 1
  fi
  reason=$(printf '%s\n' "$answer" | tail -n 1)
  case "$reason" in is\ Python*|has\ *) ;; *) reason="does not run" ;; esac
  return 1
}

# One folder a line, in the order of search: PATH first, then where installers and version managers put Pythons.
python_folders() {
  printf '%s\n' "$PATH" | tr ':' '\n'
  for folder in /usr/local/bin /opt/homebrew/bin /home/linuxbrew/.linuxbrew/bin /opt/local/bin /usr/bin \
    /Library/Frameworks/Python.framework/Versions/3.*/bin /opt/python/*/bin \
    "${HOME:-/nonexistent}/.local/bin" "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}"/versions/*/bin \
    "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}/uv/python}"/*/bin \
    "${ASDF_DATA_DIR:-${HOME:-/nonexistent}/.asdf}"/installs/python/*/bin \
    "${MISE_DATA_DIR:-${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}/mise}"/installs/python/*/bin; do
    [ ! -d "$folder" ] || printf '%s\n' "$folder"
  done
}

# search NAME: the first usable NAME in $folders. Remembers the most telling reason in $near_miss.
search() {
  while IFS= read -r folder; do
    case "$folder" in /*) candidate=$folder/$1 ;; *) continue ;; esac
    [ -x "$candidate" ] && [ ! -d "$candidate" ] || continue
    # On a bare macOS this file opens a dialog window; Apple's Python is too old in any case.
    [ "$candidate" != /usr/bin/python3 ] || [ ! -d /System/Library/CoreServices ] || continue
    probe "$candidate" && return 0
    case "$reason" in "has no"*|"has SQLite"*) near_miss="$candidate $reason" ;; esac
  done <<EOF
$folders
EOF
  return 1
}

# find_python [MINOR]: the newest usable Python (or only 3.MINOR), in $python and $python_minor.
# AGENTGUARD_PYTHON decides alone when it is set. On failure one line says what to do.
find_python() {
  if [ -n "${AGENTGUARD_PYTHON-}" ] && [ -z "${1-}" ]; then
    chosen=$(command -v -- "$AGENTGUARD_PYTHON") || chosen=$AGENTGUARD_PYTHON
    probe "$chosen" && return 0
    say "AGENTGUARD_PYTHON=$AGENTGUARD_PYTHON $reason; give the path of a Python 3.$oldest to 3.$newest, or unset it"
    return 2
  fi
  folders=$(python_folders) near_miss=''
  minor=$newest
  while [ "$minor" -ge "$oldest" ]; do
    if [ -z "${1-}" ] || [ "$1" = "$minor" ]; then
      search "python3.$minor" && return 0
    fi
    minor=$((minor - 1))
  done
  [ -n "${1-}" ] && return 1
  search python3 && return 0
  search python && return 0
  if [ -n "$near_miss" ]; then
    say "no usable Python: $near_miss; install it (Debian, Ubuntu: apt install python3-venv) and start again"
  else
    say "no usable Python 3.$oldest to 3.$newest found; install one (apt install python3-venv," \
      "brew install python@3.13) or set AGENTGUARD_PYTHON to its path"
  fi
  return 2
}
