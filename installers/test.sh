#!/usr/bin/env bash
# Install what the tests need and run all of them: bash installers/test.sh [PYTEST ARGUMENTS]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# Other programs that read layered files; the tests of what they see say so when they are missing.
if [ "$(uname -s)" = Linux ] && ! command -v krita >/dev/null; then
    as_root sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends krita python3-pyqt5' >/dev/null ||
        say "Krita could not be installed here; its tests are skipped."
fi
install_celwright "[test]"

cd "$ROOT"
export PATH="$ROOT/.venv/bin:$PATH"
ruff check .
ruff format --check .
mypy
lint-imports
python -m pytest "$@"
