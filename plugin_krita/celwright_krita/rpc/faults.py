"""How a call ended → the fault as the plugin's class, the daemon's sentence kept."""

from __future__ import annotations

from celwright_krita.errors import CelwrightError, DaemonUnreachableError, ImagesMissingError, named_error
from celwright_krita.rpc.call import CANCELLED, UNAVAILABLE, Status

ERROR_KEY = "celwright-error"  # trailing metadata: the class of the fault
MISSING_KEY = "celwright-missing"  # trailing metadata: names of images to send in full
UNIMPLEMENTED = 12


def fault(status: Status, address: str) -> CelwrightError:
    """What ``status``, which is not 0, of a call to the daemon at ``address`` means."""
    sentence = status.message or "The daemon gave no reason."
    if MISSING_KEY in status.trailers:
        return ImagesMissingError(status.trailers[MISSING_KEY].split(","))
    if ERROR_KEY in status.trailers:
        return named_error(status.trailers[ERROR_KEY], sentence)
    if status.code in (UNAVAILABLE, CANCELLED):  # without our class: a daemon that is ending
        return unreachable(address)
    if status.code == UNIMPLEMENTED:
        return CelwrightError(f"The daemon at {address} cannot do this; its version is another: update it.")
    return CelwrightError(f"The daemon at {address} refused the call: {sentence}")


def unreachable(address: str) -> DaemonUnreachableError:
    return DaemonUnreachableError(f"No daemon answers at {address}, or it ended at work; start it and try again.")


def silent(address: str, seconds: float) -> DaemonUnreachableError:
    return DaemonUnreachableError(
        f"The daemon at {address} has not answered for {seconds:g} seconds; wait and try again, or restart it."
    )
