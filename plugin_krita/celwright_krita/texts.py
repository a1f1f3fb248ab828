"""All that the artist reads, in translations/XX.json, en.json before all others. Knows no Qt.

``tr("daemon.absent")`` gives the text in the artist's language, or in English where a translation is missing.
"""

from __future__ import annotations

import json
import os
from typing import Mapping

_FOLDER = os.path.join(os.path.dirname(__file__), "translations")
LANGUAGES = {"en": "English", "de": "Deutsch", "ja": "日本語"}


def _read(code: str) -> dict:
    path = os.path.join(_FOLDER, f"{code}.json")
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


TEXTS = _read("en")

_translated: dict = {}


def use_language(code: str) -> None:
    """Read the translation for a language such as "de" or "ja"; English where there is none."""
    _translated.clear()
    _translated.update(_read(code.partition("_")[0].lower()))


def language(environment: Mapping[str, str], system: str) -> str:
    """The code to use: the painting program's own choice, which KDE's programs tell as LANGUAGE ("de:en_US"), else
    that of the ``system``, such as "ja_JP"."""
    return environment.get("LANGUAGE", "").partition(":")[0] or system


def tr(key: str, **values: object) -> str:
    """The text named ``key`` with ``values`` filled in; KeyError for a key that is not in TEXTS."""
    text = _translated.get(key) or TEXTS[key]
    return text.format(**values) if values else text
