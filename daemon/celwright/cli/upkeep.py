"""The commands around the work: serve, status, train, doctor."""

import argparse
import json
import sys
from datetime import date

from celwright import wiring, workshop


def serve(options: argparse.Namespace) -> int | None:
    """Run the daemon until a signal ends it, or its owner has ended."""
    from celwright.settings import settings

    return wiring.serve(
        settings(
            socket=options.socket, host=options.host, port=options.port, device=options.device,
            idle_seconds=options.idle, queue_limit=options.queue,
            tls_cert=options.tls_cert, tls_key=options.tls_key, tls_client_ca=options.tls_client_ca,
        ),
        owner_pid=options.owner_pid,
    )  # fmt: skip


def status(options: argparse.Namespace) -> None:
    """Print what a running daemon says of itself."""
    answer = wiring.status(options.connect)
    if options.json:
        print(json.dumps(answer))
        return
    width = max(map(len, answer))
    for name, value in answer.items():
        print(f"{name:<{width}}  {', '.join(map(str, value)) if isinstance(value, list) else value}")


def train(options: argparse.Namespace) -> None:
    """Train a model and export its weights and model card; prints where they are."""
    recipe = {name: getattr(options, name) for name in workshop.RECIPE if hasattr(options, name)}
    if recipe.get("preset") == "qwen-layered":
        adapter = workshop.train_layered(
            options.out, options.minutes, options.seed,
            resume=options.resume, data=options.data, base=options.base, size=options.size or "768x1152",
        )  # fmt: skip
        print(adapter)
        return
    if recipe.get("preset") == "sd15-scmilc" and options.model == "colorizer":
        adapter = workshop.train_scmilc(
            options.out, options.minutes, options.seed, resume=options.resume, data=options.data, base=options.base,
            size=options.size or "512x512", freeze_base=options.freeze_base == "on", recipe=recipe,
        )  # fmt: skip
        print(adapter)
        return
    weights = workshop.train(
        options.model,
        options.out,
        options.minutes,
        options.seed,
        resume=options.resume,
        date=f"{date.today()}",
        recipe=recipe,
    )
    print(weights)


def doctor(options: argparse.Namespace) -> int:
    """Print one line per thing that has to work; exit code 1 when one does not."""
    from celwright.cli.checkup import checkup

    findings = []
    for finding in checkup():
        findings.append(finding)
        if not options.json:
            print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name:<14} {finding.text}")
            sys.stdout.flush()
    if options.json:
        print(json.dumps([vars(finding) for finding in findings]))
    return int(not all(finding.ok for finding in findings))
