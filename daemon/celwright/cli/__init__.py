"""The command line: arguments to requests, events to progress, results to files.

Exit code 0 done, 1 the work failed, 2 wrong usage, 130 cancelled; an error is one sentence on stderr. ``--help`` loads
nothing heavy: whatever a command needs is imported when it runs.
"""

import logging
import os
import sys
from collections.abc import Sequence

from celwright.cli.parser import build_parser
from celwright.errors import CelwrightError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="celwright: %(message)s")
    try:
        code: int | None = options.command(options)
        sys.stdout.flush()
    except CelwrightError as fault:
        print(f"celwright: {fault}", file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        print("celwright: Cancelled; nothing half-written is left.", file=sys.stderr)
        return 130
    except MemoryError:
        print("celwright: The memory is used up; close other programs or use a smaller picture.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of our output has left (as `head` does): point stdout elsewhere so that exiting stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code or 0
