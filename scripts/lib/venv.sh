# Opens the project's virtual environment, made and filled on first use. Sourced after $root is set; POSIX sh.
#
# The usual place is .venv in the checkout. Where that cannot be ours (a read-only checkout, another user's), it is a
# folder in the user's cache. A finished environment carries agentguard.txt (3.MINOR, checkout, real base Python: a line
# each) and, for each set it holds, a copy of the constraints it was filled from, and one of the C that was compiled into
# it. So "is it ready" costs two cmp.

. "$root/scripts/lib/python.sh"

# compiled FOLDER: was the C, as it is now, given to a compiler; or is there still none? (It is optional: whether the
# compiler could do it is not asked. On systems that it is not for, it was "given" too.)
compiled() {
  {
    LC_ALL=C # the order of the names
    cat "$root/agentguard/native/build.py" "$root"/agentguard/native/*.[ch]
  } | cmp -s - "$1/native-sources.txt" || return 1
  [ -e "$1/native-no-compiler.txt" ] || return 0
  for name in ${CC:-cc gcc clang}; do
    ! command -v "$name" >/dev/null || return 1
  done
}

# ready FOLDER SET: is the environment complete, of this checkout, up to date, and does its Python run?
ready() {
  [ -x "$1/bin/python" ] && [ -r "$1/agentguard.txt" ] || return 1
  { IFS= read -r built_minor && IFS= read -r built_root && IFS= read -r built_base; } <"$1/agentguard.txt" || return 1
  [ "$built_root" = "$root" ] || return 1
  [ -z "${AGENTGUARD_PYTHON-}" ] || [ "$built_base" = "$python_base" ] || return 1
  case "$built_minor" in 3.11) family=py311 ;; *) family=py312 ;; esac
  cmp -s "$1/constraints-$2.txt" "$root/scripts/constraints/$2-$family.txt" || return 1
  compiled "$1" || return 1
  [ "$("$1/bin/python" -I -S -c 'import sys; print("3.%d" % sys.version_info[1])' 2>/dev/null)" = "$built_minor" ]
}

# open_venv SET [MINOR]: sets $venv to a folder with SET (runtime, dev) installed. With MINOR it is an environment of
# its own for that Python 3.MINOR (AGENTGUARD_PYTHON must be unset). Fails with status 2 after one line, 130 on Ctrl-C.
open_venv() {
  suffix=${2:+-py3$2} near=$root/.venv${2:+-py3$2} far=''
  python=''
  [ -z "${AGENTGUARD_PYTHON-}" ] || find_python || return 2
  venv=$near
  ready "$venv" "$1" && return 0
  cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
  if [ -n "$cache" ]; then
    far=$cache/agentguard/venv$suffix-$(printf '%s' "$root" | cksum | tr ' ' '-')
    venv=$far
    ready "$venv" "$1" && return 0
  fi
  [ -n "$python" ] || find_python "${2-}" || return 2
  "$python" -I -B "$root/scripts/lib/bootstrap" "$root" "$1" "$newest" "$near" ${far:+"$far"} >&2 || return
  for venv in "$near" ${far:+"$far"}; do
    ready "$venv" "$1" && return 0
  done
  say "the environment was made but is not usable; remove $near${far:+ and $far}, and start again"
  return 2
}
