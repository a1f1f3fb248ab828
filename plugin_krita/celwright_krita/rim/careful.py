"""Nothing that goes wrong here may reach Krita, whose answer is a dialog with a traceback: it is logged and said."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable

from celwright_krita.texts import tr

if TYPE_CHECKING:
    from celwright_krita.session.session import Session

log = logging.getLogger(__name__)


def safely(act: Callable[[], Any], say: Callable[[str], None]) -> Any:
    """What ``act`` gives; None when it raised, which is logged and said."""
    try:
        return act()
    except Exception as error:
        log.exception("Celwright could not go on")
        try:
            say(tr("fault.unexpected", kind=type(error).__name__))
        except Exception:
            log.exception("nor say so")
        return None


class Careful:
    """The session as the docker gets it: no method raises, and each wakes the clock."""

    def __init__(self, session: Session, say: Callable[[str], None], wake: Callable[[], None]) -> None:
        self._session, self._say, self._wake = session, say, wake

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        if not callable(found):
            return found

        def method(*values: Any) -> Any:
            self._wake()
            return safely(lambda: found(*values), self._say)

        return method
