"""What can go wrong, named after the fault. Every message is one sentence: what came, what is allowed, what to do."""


class CelwrightError(Exception):
    """Any fault that the person or program asking can act on. ``exit_code`` is the command line's."""

    exit_code = 1


class WrongUsageError(CelwrightError):
    """The request itself makes no sense: a missing file, an unknown option value, sizes that do not match."""

    exit_code = 2


class UnusableInputError(CelwrightError):
    """The file or image is there but cannot serve: truncated, of an unknown kind, empty, without lines."""


class OutputError(CelwrightError):
    """The result could not be written; nothing half-written stays under the final name."""


class ModelUnavailableError(CelwrightError):
    """The model asked for is not installed, damaged, or does not fit into memory."""


class QueueFullError(CelwrightError):
    """The daemon has as many jobs waiting as it accepts."""


class DaemonUnreachableError(CelwrightError):
    """No daemon answers at the address, or it ended while it worked for us."""


class AccessDeniedError(CelwrightError):
    """The daemon answers but the token does not match."""


class CancelledError(CelwrightError):
    """The job was cancelled before it finished."""

    exit_code = 130
