"""What went wrong as a sentence, and the ways on from there. Knows no job."""

from __future__ import annotations

from celwright_krita import errors
from celwright_krita.state import Fault
from celwright_krita.texts import tr

_WAYS = (
    (errors.DaemonUnreachableError, ("restart", "diagnose")),
    (errors.AccessDeniedError, ("restart", "settings", "diagnose")),
    (errors.UnreadableAnswerError, ("restart", "diagnose")),
    (errors.ModelUnavailableError, ("settings",)),
)
_WORTH_A_RETRY = (
    errors.DaemonUnreachableError,
    errors.AccessDeniedError,
    errors.UnreadableAnswerError,
    errors.QueueFullError,
)


class DaemonMissingError(errors.CelwrightError):
    """Celwright is not installed, or not where the plugin looks for it."""


class DaemonTooOldError(errors.CelwrightError):
    """The daemon that runs cannot do what this plugin asks of it."""


def fault_of(error: Exception, retry: bool = False) -> Fault:
    """``retry``: the job that ended so can be repeated."""
    if not isinstance(error, errors.CelwrightError):
        if isinstance(error, MemoryError):
            return Fault(tr("fault.memory"), ("retry",) if retry else ())
        kind = type(error).__name__
        return Fault(tr("fault.unexpected", kind=kind), ("retry", "diagnose") if retry else ("diagnose",))
    ways = ("retry",) if retry and isinstance(error, _WORTH_A_RETRY) else ()
    if isinstance(error, (DaemonMissingError, DaemonTooOldError)):
        return Fault(str(error), ("settings", "diagnose", *(("retry",) if retry else ())))
    for kind, more in _WAYS:
        if isinstance(error, kind):
            return Fault(str(error), (*ways, *more))
    return Fault(str(error), ways)
