"""The commands that measure: speed and memory (bench), quality (evaluate). They print tables or JSON."""

import argparse
import json
import sys
from dataclasses import asdict

from celwright import wiring
from celwright.cli.bench import measure, table
from celwright.errors import WrongUsageError


def bench(options: argparse.Namespace) -> None:
    """Print each row as it is measured."""
    rows = []
    for row in measure(options.only or ""):
        print(f"{row.name}: {row.seconds['total']:.2f} s", file=sys.stderr)
        rows.append(row)
    print(json.dumps([asdict(row) for row in rows]) if options.json else table(rows))


def evaluate(options: argparse.Namespace) -> None:
    """Print the table of a folder of layered pictures."""
    if options.count < 1:
        raise WrongUsageError(f"The count is {options.count}; 1 or more scenes can be measured.")
    rows, text = wiring.evaluate(options.task, options.directory, options.peer_labels, options.count)
    print(json.dumps([asdict(row) for row in rows]) if options.json else text)
