"""What the docker may offer in a State, and why not: a reason is a sentence, empty where nothing speaks against it.

Knows no Qt.
"""

from __future__ import annotations

from celwright_krita.domain import Model
from celwright_krita.state import DaemonState, State
from celwright_krita.texts import tr

# What every daemon can do, and so may be prepared before one has answered.
FIRST = frozenset(
    {"decompose", "decompose.exact", "decompose.finish", "segment", "segment.leaks", "write.psd"}
    | {f"colorize.{what}" for what in ("hints", "palette", "flatting", "selection", "context", "lock")}
)


def differs(state: State, before: State | None, *fields: str) -> bool:
    """Whether one of the fields has to be drawn anew; True when nothing was drawn before."""
    if before is None:
        return True
    pairs = [(getattr(state, name), getattr(before, name)) for name in fields]
    return any(new is not old and new != old for new, old in pairs)


def lacking(daemon: DaemonState, capability: str) -> str:
    """Why a part that needs ``capability`` cannot be used."""
    if daemon.condition == "ready":
        return "" if capability in daemon.capabilities else tr("offer.lacking")
    return "" if capability in FIRST else tr("offer.unknown")


def blocked(state: State, capability: str) -> str:
    """Why a job that needs ``capability`` cannot be started now."""
    if not state.document:
        return tr("offer.no_document")
    if state.refusal:
        return state.refusal
    if state.job is not None:
        return tr("offer.busy")
    return lacking(state.daemon, capability)


def models_for(daemon: DaemonState, task: str) -> list[Model]:
    """The installed models for "decompose" or "colorize"."""
    return [model for model in daemon.models if model.installed and task in model.tasks]
