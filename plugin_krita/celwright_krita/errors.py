"""What can go wrong between plugin and daemon, named after the fault. Every message is one sentence for the artist.

Classes that the daemon names on the wire have the same names here; its sentence is shown as it came.
"""


class CelwrightError(Exception):
    """Any fault that the artist can act on."""


class WrongUsageError(CelwrightError):
    """The request makes no sense: sizes that do not match, a value out of range."""


class UnusableInputError(CelwrightError):
    """The image is there but cannot serve: empty, too small, too large."""


class ModelUnavailableError(CelwrightError):
    """The model asked for is not installed, damaged, or does not fit into memory."""


class QueueFullError(CelwrightError):
    """The daemon has as many jobs waiting as it accepts."""


class DaemonUnreachableError(CelwrightError):
    """No daemon answers, or it ended or fell silent while it worked for us."""


class AccessDeniedError(CelwrightError):
    """The daemon answers but the token does not match, or there is none."""


class CancelledError(CelwrightError):
    """The job was cancelled before it finished."""


class UnreadableAnswerError(CelwrightError):
    """What came is not what celwright.proto describes: another program listens there, or the daemon is broken."""


class DocumentClosedError(CelwrightError):
    """The document was closed while something was to be read from it or put into it."""


class LayerGoneError(UnusableInputError):
    """The layer was removed, or the document became one that has no such layer."""


class ImagesMissingError(CelwrightError):
    """The daemon no longer holds images that were to be reused; ``names`` are to be sent in full."""

    def __init__(self, names: list) -> None:
        super().__init__(f"The daemon no longer holds the image {', '.join(map(repr, names))}; send it in full.")
        self.names = names


_NAMED = (
    WrongUsageError,
    UnusableInputError,
    ModelUnavailableError,
    QueueFullError,
    DaemonUnreachableError,
    AccessDeniedError,
    CancelledError,
)


def named_error(name: str, sentence: str) -> CelwrightError:
    """The daemon's fault as its class here; a class that only a newer daemon knows is a CelwrightError."""
    kinds = {kind.__name__: kind for kind in _NAMED}
    return kinds.get(name, CelwrightError)(sentence)
