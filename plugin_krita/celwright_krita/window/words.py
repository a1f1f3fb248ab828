"""Numbers and states as sentences for the artist. Knows no Qt."""

from __future__ import annotations

import math

from celwright_krita.domain import Leak, RecompositionError
from celwright_krita.state import JobState
from celwright_krita.texts import TEXTS, tr


def stage_text(job: JobState) -> str:
    """What the job is doing: the stage's name, the jobs ahead in the queue or the time that is left."""
    if job.ahead:
        return tr("job.ahead", jobs=job.ahead)
    name = f"stage.{job.stage}"
    stage = tr(name) if name in TEXTS else tr("stage.other", stage=job.stage)
    return f"{stage}… {time_left(job.seconds_left)}".rstrip()


def time_left(seconds: float | None) -> str:
    """In seconds below a minute and a half, else in minutes; empty when unknown."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 90:
        return tr("time.seconds", seconds=max(1, math.ceil(seconds)))
    return tr("time.minutes", minutes=round(seconds / 60))


def recomposition_text(error: RecompositionError | None) -> str:
    """How far the layers, put together again, are from the picture."""
    if error is None:
        return ""
    if error.max == 0 or math.isinf(error.psnr):
        return tr("recomposition.equal")
    return tr("recomposition.error", max=f"{error.max:.3g}", psnr=f"{error.psnr:.1f}")


def leaks_text(leaks: tuple[Leak, ...]) -> str:
    """How many openings were closed, and the widest."""
    if not leaks:
        return ""
    widest = max(leak.width for leak in leaks)
    return tr("leaks.one" if len(leaks) == 1 else "leaks.many", count=len(leaks), width=f"{widest:.0f}")
