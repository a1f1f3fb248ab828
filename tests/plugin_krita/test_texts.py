"""Every text is there in every language, and whatever is missing is found."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from celwright_krita import texts
from celwright_krita.texts import tr

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "installers"))
import missing_texts  # noqa: E402

LANGUAGES = ("en", "de", "ja")


@pytest.fixture
def english() -> Iterator[None]:
    yield
    texts.use_language("en")


def test_no_text_is_missing_or_superfluous_in_any_language() -> None:
    assert missing_texts.findings() == []


def test_every_language_that_can_be_chosen_has_its_file() -> None:
    assert {path.stem for path in (missing_texts.PLUGIN / "translations").glob("*.json")} == set(texts.LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_can_be_filled_in(code: str, english: None) -> None:
    texts.use_language(code)
    for name in texts.TEXTS:
        values = dict.fromkeys(missing_texts.placeholders(texts.TEXTS[name]), 1)
        assert tr(name, **values)


def test_what_is_wrong_with_texts_is_found(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    shutil.copytree(missing_texts.PLUGIN, plugin, ignore=shutil.ignore_patterns("__pycache__", "rpc"))
    german = json.loads((plugin / "translations/de.json").read_text(encoding="utf-8"))
    del german["menu.save"]
    german["result.saved.at"] = "Gespeichert."
    german["old"] = "alt"
    (plugin / "translations/de.json").write_text(json.dumps(german), encoding="utf-8")
    (plugin / "new.py").write_text('tr("made.up")\npush_button("daemon")\n"never.asked"\n', encoding="utf-8")
    english = json.loads((plugin / "translations/en.json").read_text(encoding="utf-8"))
    (plugin / "translations/en.json").write_text(json.dumps({**english, "forgotten": "a"}), encoding="utf-8")
    before = missing_texts.findings()
    assert [line for line in missing_texts.findings(plugin) if line not in before] == [
        "new.py: asks for made.up, which does not exist",
        "forgotten: nothing asks for it",
        f"de: menu.save is missing: {english['menu.save']}",
        "de: result.saved.at has other placeholders than: Saved: {path}",
        "de: forgotten is missing: a",
        "de: old is superfluous",
        "ja: forgotten is missing: a",
    ]


@pytest.mark.parametrize(
    ("environment", "system", "code"),
    [({"LANGUAGE": "de:en_US"}, "ja_JP", "de"), ({"LANGUAGE": ""}, "ja_JP", "ja_JP"), ({}, "C", "C")],
)
def test_the_language_is_kritas_else_the_systems(environment: dict[str, str], system: str, code: str) -> None:
    assert texts.language(environment, system) == code


def test_a_language_that_is_not_there_is_english(english: None) -> None:
    texts.use_language("ja_JP")
    assert tr("layer.none") == "なし"
    texts.use_language("tlh")
    assert tr("layer.none") == "None"
