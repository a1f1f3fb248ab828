"""The commands about models: list, pull, verify, import, remove.

Knows how they look on a terminal, not how they work.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from celwright import installed
from celwright.errors import CancelledError, WrongUsageError

if TYPE_CHECKING:
    from celwright.weights.intake import Transfer


def list_models(options: argparse.Namespace) -> int:
    """Print the models here and those that can be fetched; exit code 1 when one that is here is damaged."""
    here = installed.models()
    _print_rows(here + installed.models_to_fetch(), as_json=options.json)
    return _damage(here)


def verify(options: argparse.Namespace) -> int:
    """Print what is wrong with each model, every byte of it read; exit code 1 when anything is."""
    rows = installed.models(options.names, hashes=True)
    for name in options.names:
        if not any(_is_named(row, name) for row in rows):
            known = ", ".join(row["id"] for row in installed.models())
            raise WrongUsageError(f"The model {name!r} is not installed; here are: {known}.")
    _print_rows(rows, as_json=options.json)
    return _damage(rows)


def pull(options: argparse.Namespace) -> None:
    """Fetch a model with progress; prints where it is."""
    from celwright.weights.intake import pull as pulled

    store = installed.model_store(offline=options.offline)
    try:
        _show(pulled(store, options.name), options.name, quiet=options.quiet)
    except KeyboardInterrupt:
        raise CancelledError(
            f"Cancelled; 'celwright models pull {options.name}' goes on from here, 'celwright models remove "
            f"{options.name}' deletes what has come."
        ) from None
    print(store.folder / options.name)


def import_model(options: argparse.Namespace) -> None:
    """Copy a model from disk with progress; prints where it is."""
    from celwright.weights.intake import import_model as imported

    store = installed.model_store()
    events = imported(store, options.name, options.paths, options.task, options.licence)
    _show(events, options.name, quiet=options.quiet)
    print(store.folder / options.name)


def remove(options: argparse.Namespace) -> None:
    """Delete a model; names the files that somebody else put into its folder, which stay."""
    for path in installed.model_store().remove(options.name):
        print(f"celwright: {path} stays; Celwright did not put it there.", file=sys.stderr)


def _is_named(row: dict[str, Any], name: str) -> bool:
    return bool(row["id"].rpartition("/")[2] == name)


def _damage(rows: list[dict[str, Any]]) -> int:
    return int(any(row["state"] != "ok" for row in rows))


def _print_rows(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows))
        return
    wide = max([12, *(len(row["licence"]) for row in rows)])
    for row in rows:
        print(f"{row['id']:<24} {row['bytes'] / 2**20:8.1f} MiB  {row['licence']:<{wide}} {row['state']}")
        if "description" in row:
            print(f"{'':<24} {row['description']}; takes about {row['memory_gib']:g} GiB of memory")


def _show(events: "Iterator[Transfer]", name: str, *, quiet: bool) -> None:
    """Run a transfer to its end: a bar on a terminal, a line each tenth elsewhere, nothing when asked for quiet."""
    bar, tenth = sys.stderr.isatty(), -1
    with closing(events):  # type: ignore[type-var]  # it is a generator
        for event in events:
            share = event.done / event.total
            if quiet or (not bar and int(10 * share) == tenth):
                continue
            tenth = int(10 * share)
            line = f"{name} {100 * share:.0f}% of {event.total / 2**20:.1f} MiB{_pace(event)}"
            print(f"\r{line:<78}" if bar else line, end="" if bar else "\n", file=sys.stderr, flush=True)
    if bar and not quiet:
        print(file=sys.stderr)


def _pace(event: "Transfer") -> str:
    rate = f", {event.rate / 2**20:.1f} MiB/s" if event.rate else ""
    if not event.seconds_left:
        return rate
    minutes, seconds = divmod(round(event.seconds_left), 60)
    return f"{rate}, {minutes}:{seconds:02} left"
