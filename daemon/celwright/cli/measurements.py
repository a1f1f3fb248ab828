"""The commands that measure: speed and memory (bench), quality (evaluate). They print tables or JSON."""

import argparse
import json
import sys
from dataclasses import asdict

from celwright import workshop
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
    """Print the table of a task."""
    if options.count is not None and options.count < 1:
        raise WrongUsageError(f"The count is {options.count}; 1 or more can be measured.")
    if not 0 < options.largest <= 1:
        raise WrongUsageError(f"The share of regions with a dot is {options.largest}; more than 0 up to 1 is allowed.")
    if options.task in ("designs", "ablations", "balance") and not options.runs:
        raise WrongUsageError("No training runs came to compare; name their folders with --runs.")
    for flag, tasks in (("sheet", ("ablations", "balance")), ("solids", ("pairs",))):
        if getattr(options, flag) and options.task not in tasks:
            only = " and ".join(tasks)
            raise WrongUsageError(f"--{flag} is not for {options.task}, only for {only}; leave it out.")
    rows, text = workshop.evaluate(
        options.task,
        options.directory,
        peer_labels=options.peer_labels,
        count=options.count,
        largest=options.largest,
        runs=options.runs,
        against=options.against,
        sheet=options.sheet,
        force=options.force,
        worn=options.worn,
        solids=options.solids,
    )
    print(json.dumps([asdict(row) for row in rows]) if options.json else text)
