"""Enumerations of celwright.v1 ↔ the words that requests and reports use for them."""

from collections.abc import Mapping
from typing import Any, Literal

from celwright.domain import Fidelity, ShadowBlend, ShadowTint, Unhinted
from celwright.errors import WrongUsageError
from celwright.rpc.generated import celwright_pb2 as pb

FIDELITIES: dict[int, Fidelity] = {
    pb.FIDELITY_UNSPECIFIED: "clean",
    pb.FIDELITY_CLEAN: "clean",
    pb.FIDELITY_EXACT: "exact",
}
TINTS: dict[int, ShadowTint] = {
    pb.SHADOW_TINT_UNSPECIFIED: "free",
    pb.SHADOW_TINT_FREE: "free",
    pb.SHADOW_TINT_REGION: "region",
}
SHADOW_BLENDS: dict[int, ShadowBlend] = {
    pb.SHADOW_BLEND_UNSPECIFIED: "multiply",
    pb.SHADOW_BLEND_MULTIPLY: "multiply",
    pb.SHADOW_BLEND_NORMAL: "normal",
}
UNHINTED: dict[int, Unhinted] = {
    pb.UNHINTED_UNSPECIFIED: "nearest",
    pb.UNHINTED_NEAREST: "nearest",
    pb.UNHINTED_TRANSPARENT: "transparent",
}
PALETTES: dict[int, Literal["flatting", "auto"] | None] = {
    pb.AUTOMATIC_PALETTE_UNSPECIFIED: None,
    pb.AUTOMATIC_PALETTE_FLATTING: "flatting",
    pb.AUTOMATIC_PALETTE_AUTO: "auto",
}


def value(what: str, table: Mapping[int, Any], number: int) -> Any:
    """The word for ``number``. Raises WrongUsageError for one that only a newer client knows."""
    if number not in table:
        raise WrongUsageError(f"The {what} {number} is not known to this daemon; update it, or choose another.")
    return table[number]


def key(table: Mapping[int, Any], value: Any) -> Any:
    """The number on the wire of ``value``."""
    return max(number for number, known in table.items() if known == value)
