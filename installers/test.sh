#!/usr/bin/env bash
# Install what the tests need and run all of them: bash installers/test.sh [PYTEST ARGUMENTS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# A real Krita and a screen for it that nobody sees; tests that miss them say so and are skipped.
NEEDED="krita python3-pyqt5 xvfb"
missing() { ! command -v krita >/dev/null || ! command -v Xvfb >/dev/null || ! /usr/bin/python3 -c 'import PyQt5.QtTest' 2>/dev/null; }
if [ "$(uname -s)" = Linux ] && missing; then
    as_root sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $NEEDED" >/dev/null ||
        say "Krita could not be installed here; its tests are skipped. By hand: sudo apt-get install $NEEDED"
fi

# find_version 3.8: a Python of that version, from PATH or pyenv.
find_version() {
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    return 1
}

# The plugin runs in the Python that Krita brings along: its own tests, in another version than ours.
test_plugin_in() {
    local python env="$ROOT/.venv-plugin-$1"
    python="$(find_version "$1")" || { say "No Python $1 was found: the plugin's tests are not run in it."; return; }
    if ! "$env/bin/python" -c 'import h2, numpy, pytest, hypothesis, PyQt5' 2>/dev/null; then
        say "Installing what the plugin's tests need into $env ..."
        "$python" -m venv "$env"
        "$env/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$ROOT/plugin_krita/vendor.txt"
        "$env/bin/python" -m pip install -q --disable-pip-version-check pytest hypothesis numpy PyQt5
    fi
    # Two files look at sources, which are the same in every Python.
    CELWRIGHT_TEST_QT=5 "$env/bin/python" -m pytest -p no:cacheprovider tests/plugin_krita \
        --ignore tests/plugin_krita/test_sources.py --ignore tests/plugin_krita/test_texts.py
}

install_celwright "[test]"

cd "$ROOT"
export PATH="$ROOT/.venv/bin:$PATH"
ruff check .
ruff format --check .
mypy
lint-imports
python -m pytest "$@"
if [ $# = 0 ]; then
    test_plugin_in 3.8
    test_plugin_in 3.13
fi
