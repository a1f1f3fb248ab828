"""Krita's names of blend modes, and what a layered file calls them. Knows neither Krita nor the file."""

from __future__ import annotations

_SAVED = {
    "dodge": "color_dodge",
    "burn": "color_burn",
    "diff": "difference",
    "add": "linear_dodge",  # the same for opaque layers; Krita itself reads PSD's linear dodge as this
    "soft_light_svg": "soft_light",
}
_SAME = ("normal", "multiply", "screen", "overlay", "darken", "lighten", "hard_light", "soft_light", "linear_dodge")


def saved_blend(name: str) -> str:
    """The name in a layered file (document.LayerNode.blend) of Krita's blend mode; "normal" where it has none."""
    return name if name in _SAME else _SAVED.get(name, "normal")


def has_saved_blend(name: str) -> bool:
    """False where ``saved_blend`` gives "normal" for want of a better one: worth telling the artist."""
    return name in _SAME or name in _SAVED
