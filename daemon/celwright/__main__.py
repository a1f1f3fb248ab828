"""``python -m celwright`` is ``celwright``."""

import sys

from celwright.cli import main

sys.exit(main())
