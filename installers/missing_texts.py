"""List what is wrong with the plugin's texts and translations; the exit code is 1 when there is anything.

    python installers/missing_texts.py

Told are, for each language: texts that are missing, that nothing asks for, or whose {placeholders} are others; and in
the code: texts asked for that do not exist, and texts that nothing asks for.
"""

from __future__ import annotations

import ast
import json
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

PLUGIN = Path(__file__).resolve().parent.parent / "plugin_krita" / "celwright_krita"
# Functions that take the name of a widget's texts: KEY is on the widget, KEY.tip is its tooltip.
NAMING = {"named", "push_button", "tool_button", "check_box", "sentence", "Group", "add"}
KEY = re.compile(r"[a-z_]+(\.[a-z0-9_]+)*")


def findings(plugin: Path = PLUGIN) -> list[str]:
    """One line for each thing that is wrong."""
    texts = _translation(plugin, "en")
    found = list(_in_code(plugin, texts))
    for path in sorted((plugin / "translations").glob("*.json")):
        if path.stem != "en":
            found += _in_translation(path.stem, _translation(plugin, path.stem), texts)
    return found


def _translation(plugin: Path, code: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((plugin / "translations" / f"{code}.json").read_text(encoding="utf-8"))
    return texts


def _in_translation(code: str, translated: dict[str, str], texts: dict[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        if not translated.get(name):
            yield f"{code}: {name} is missing: {text}"
        elif placeholders(translated[name]) != placeholders(text):
            yield f"{code}: {name} has other placeholders than: {text}"
    yield from (f"{code}: {name} is superfluous" for name in translated if name not in texts)


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def _in_code(plugin: Path, texts: dict[str, str]) -> Iterator[str]:
    asked, patterns, words = set(), set(), set()
    for path in sorted(plugin.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and path.name != "texts.py":
                words.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                patterns.add(_pattern(node))
            elif isinstance(node, ast.Call):
                asked |= {(name, path.name) for name in _asked(node)}
    for name, file in sorted(asked):
        if name not in texts:
            yield f"{file}: asks for {name}, which does not exist"
    made = [re.compile(pattern) for pattern in patterns if "." in pattern.replace(".*", "")]
    for name in texts:
        base = name[:-4] if name.endswith(".tip") else name
        if not {name, base} & words and not any(pattern.fullmatch(base) for pattern in made):
            yield f"{name}: nothing asks for it"


def _pattern(node: ast.JoinedStr) -> str:
    parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*" for part in node.values)
    return "".join(parts)


def _asked(call: ast.Call) -> set[str]:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    within = ast.walk(call.args[0]) if function == "tr" and call.args else call.args
    literals = [node.value for node in within if isinstance(node, ast.Constant)]
    names = {value for value in literals if isinstance(value, str) and KEY.fullmatch(value)}
    if function == "tr":
        return names
    if function not in NAMING or not names:
        return set()
    if function in ("add", "named", "Group") and not any("." in name for name in names):
        return set()  # another add
    return {form for name in names if "." in name for form in (name, f"{name}.tip")}


def main() -> int:
    found = findings()
    print("\n".join(found) or "All texts are there, in every language.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
