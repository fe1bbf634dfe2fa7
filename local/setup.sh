#!/bin/sh
# Make .venv ready: find a Python, bootstrap uv, install one of the locks, then Ebb itself.
#   sh local/setup.sh demo    what `make demo` needs
#   sh local/setup.sh all     that and what `make test` needs
#   sh local/setup.sh dvc     only DVC, in .tools/dvc; `all` makes it too
#   sh local/setup.sh ministack  only MiniStack, in .tools/ministack; likewise
#   sh local/setup.sh python  only print the Python that would be used
# A stamp in each environment remembers which lock is installed, so that a second call changes nothing.
set -eu
cd "$(dirname "$0")/.."
what=${1:-demo}
case $what in
    demo) lock=requirements/demo.txt ;;
    all) lock=requirements.txt ;;
    dvc | ministack | python) lock= ;;
    *) echo "setup: say demo, all, dvc, ministack or python, not '$what'" >&2; exit 2 ;;
esac
case $what in
    all) tools="dvc ministack" ;;
    dvc | ministack) tools=$what ;;
    *) tools= ;;
esac

say() { if [ -t 2 ]; then printf '\033[2m%s\033[0m\n' "$*" >&2; else echo "$*" >&2; fi; }

stamp() { cat "$1" pyproject.toml layers/ebb/pyproject.toml | cksum | tr ' ' '-'; }

installed() { # is this lock's stamp, or the larger lock's, in .venv?
    [ -x .venv/bin/ebb ] || return 1
    .venv/bin/python -c 'import sys' 2>/dev/null || return 1
    [ -e ".venv/.lock-$what-$(stamp "$lock")" ] || [ -e ".venv/.lock-all-$(stamp requirements.txt)" ]
}

# A Python counts only if it runs: a pyenv shim can be dead.
works() { [ -x "$1" ] && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for name in python3.13 python3.12 python3.11 python3.14 python3 python; do
        found=$(command -v "$name" 2>/dev/null || true)
        if [ -n "$found" ] && works "$found"; then echo "$found"; return; fi
        if [ "$name" = python3.13 ]; then
            for found in "$HOME"/.pyenv/versions/3.13*/bin/python3.13; do
                if works "$found"; then echo "$found"; return; fi
            done
        fi
    done
    for found in "$HOME"/.pyenv/versions/3.1[1-9]*/bin/python; do
        if works "$found"; then echo "$found"; return; fi
    done
    echo "setup: no Python 3.11 or newer was found on PATH or in ~/.pyenv: install one (3.13 is best)" >&2
    return 1
}

find_uv() {
    found=$(command -v uv 2>/dev/null || true)
    if [ -n "$found" ] && "$found" --version >/dev/null 2>&1; then echo "$found"; return; fi
    if [ ! -x .tools/bin/uv ]; then
        say "Fetching uv"
        if ! "$python" -m venv .tools >/dev/null 2>&1 || ! .tools/bin/python -m pip install -qq "uv>=0.8" >&2; then
            rm -rf .tools
            "$python" -m pip install -qq --target .tools "uv>=0.8" >&2 || {
                echo "setup: uv could not be installed with $python: it needs pip, or uv on PATH" >&2
                return 1
            }
        fi
    fi
    echo "$PWD/.tools/bin/uv"
}

# A tool has an environment and a lock of its own, and nothing of Ebb imports it.
tool_stamp() { echo ".tools/$1/.lock-$(cksum <"requirements/$1.txt" | tr ' ' '-')"; }

tool_installed() { [ -e "$(tool_stamp "$1")" ] && ".tools/$1/bin/python" -c 'import sys' 2>/dev/null; }

# The lock is whole, so nothing is resolved; what it leaves out on purpose is not asked for.
install_tool() {
    say "Installing $1 into .tools/$1"
    rm -rf ".tools/$1"
    "$uv" venv -q --python "$python" ".tools/$1"
    "$uv" pip sync -q --python "$PWD/.tools/$1/bin/python" --compile-bytecode --only-binary :all: \
        --require-hashes "requirements/$1.txt"
    touch "$(tool_stamp "$1")"
}

install_ebb() {
    if [ -e .venv ] && ! .venv/bin/python -c 'import sys' 2>/dev/null; then rm -rf .venv; fi
    [ -e .venv ] || "$uv" venv -q --python "$python" .venv
    rm -f .venv/.lock-* # whatever was installed whole is not any more
    say "Installing $(grep -c '^[a-z].*==' "$lock") locked packages with $("$python" --version)"
    "$uv" pip install -q --python "$PWD/.venv/bin/python" --compile-bytecode --only-binary :all: --require-hashes -r "$lock"
    "$uv" pip install -q --python "$PWD/.venv/bin/python" --no-deps --no-build-isolation -e layers/ebb -e .
    touch ".venv/.lock-$what-$(stamp "$lock")"
}

if [ "$what" = python ]; then find_python; exit; fi
main= missing=
if [ -n "$lock" ] && ! installed; then main=missing; fi
for tool in $tools; do tool_installed "$tool" || missing="$missing $tool"; done
if [ -z "$main$missing" ]; then exit 0; fi
python=$(find_python)
python=$("$python" -c 'import sys; print(sys.executable)')
uv=$(find_uv)
if [ -n "$main" ]; then install_ebb; fi
for tool in $missing; do install_tool "$tool"; done
