# Sourced by the other scripts: makes .venv with Python 3.11 or newer and installs Celwright into it.
# CPU torch unless an NVIDIA GPU is found, so that a machine without one does not load gigabytes of CUDA.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TORCH="2.13.0"

say() { printf '%s\n' "$*" >&2; }
in_venv() { "$ROOT/.venv/bin/python" "$@"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else return 1; fi; }

find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3.13 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "No Python 3.11, 3.12 or 3.13 was found; install one (Debian, Ubuntu: apt-get install python3 python3-venv) and run this again."
    return 1
}

make_venv() {
    [ -x "$ROOT/.venv/bin/python" ] && "$ROOT/.venv/bin/python" -m pip --version >/dev/null 2>&1 && return
    local python
    python="$(find_python)" || return 1
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        say "This Python has no venv module; installing it ..."
        as_root sh -c 'apt-get update -qq && apt-get install -y -qq python3-venv' >&2 || {
            say "python3-venv is missing; install it (sudo apt-get install python3-venv) and run this again."
            return 1
        }
    fi
    "$python" -m venv "$ROOT/.venv" || { say "The environment $ROOT/.venv could not be made; see the message above."; return 1; }
}

install_torch() {
    in_venv -c "import importlib.metadata as m, sys; sys.exit(not m.version('torch').startswith('$TORCH'))" 2>/dev/null && return
    if [ "$(uname -s)" = Linux ] && ! nvidia-smi >/dev/null 2>&1; then
        say "No NVIDIA GPU was found: installing the CPU build of torch ..."
        in_venv -m pip install -q "torch==$TORCH+cpu" 2>/dev/null && return
    fi
    # uv knows where the builds for each GPU, and for none, are to be found.
    in_venv -m pip install -q -c "$ROOT/installers/constraints.txt" uv &&
        "$ROOT/.venv/bin/uv" pip install -q --python "$ROOT/.venv/bin/python" --torch-backend=auto "torch==$TORCH"
}

# install_celwright EXTRAS: "" for users, "[test]" for the suite. Does nothing when nothing has changed.
install_celwright() {
    local stamp="$ROOT/.venv/installed${1//[^a-z]/-}" wanted
    wanted="$(cat "$ROOT/pyproject.toml" "$ROOT/installers/constraints.txt" | cksum) $ROOT"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
    make_venv || return 1
    say "Installing Celwright into $ROOT/.venv (a few minutes the first time) ..."
    install_torch || { say "torch $TORCH could not be installed; check the network connection and run this again."; return 1; }
    in_venv -m pip install -q --disable-pip-version-check -c "$ROOT/installers/constraints.txt" -e "$ROOT$1" || {
        say "Celwright could not be installed; see the message above, then run this again."
        return 1
    }
    printf '%s' "$wanted" >"$stamp"
}
