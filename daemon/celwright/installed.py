"""What this user has: models that came with the package or were fetched, characters and palettes.

Heavy imports lie inside the functions: most commands need none of them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celwright.library import Library
    from celwright.weights.store import Store


def weights_are_here(task: str) -> bool:
    """Whether an embedded model for ``task`` lies where it belongs; its bytes are checked when it is loaded."""
    from celwright.weights import registry

    return any(model.task == task and (registry.EMBEDDED_DIR / model.file).is_file() for model in registry.EMBEDDED)


class Models:
    """Every model, here or to be fetched, as the daemon shows and manages them."""

    def listed(self) -> Sequence[Mapping[str, Any]]:
        from celwright.weights.inventory import described

        return described(model_store())

    def pull(self, name: str) -> Iterator[tuple[int, int]]:
        from celwright.weights.intake import pull

        for step in pull(model_store(), name):
            yield step.done, step.total

    def remove(self, name: str) -> None:
        model_store().remove(name)


def model_store(*, offline: bool = False) -> "Store":
    """The user's models; where they lie and how they are fetched is told by ``CELWRIGHT_*`` variables."""
    from celwright.settings import user_folder
    from celwright.weights.store import store

    return store(user_folder(), offline=offline)


def library() -> "Library":
    """The user's characters and palettes."""
    from celwright.library import Library
    from celwright.settings import user_folder

    return Library(user_folder())


def models(only: Collection[str] = (), *, hashes: bool = False) -> list[dict[str, Any]]:
    """Every model here, or those with a name in ``only``: ``id``, ``bytes``, ``licence`` and ``state``, which is "ok"
    or what is wrong. Embedded ones are checked to the last byte, others by names and sizes, with ``hashes`` in full."""
    from celwright.weights.inventory import checked

    return checked(model_store(), only, hashes=hashes)


def models_to_fetch() -> list[dict[str, Any]]:
    """The catalogue's models that are not here, as ``models`` tells them; their ``state`` is "not installed"."""
    from celwright.weights.inventory import missing

    return missing(model_store())
