"""All that the artist reads, in one place: English here, other languages in translations/XX.json. Knows no Qt.

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


TEXTS = {
    # docker, menu and dialogs
    **_read("en"),
    # daemon, jobs, session
    "character.exists": "There is a character “{name}” already: choose another name.",
    "character.gone": "The character “{name}” is not in the library: choose one of the list.",
    "character.mask": "The mask of the character “{name}” has another size than its picture: save the character anew.",
    "character.saved": "The character “{name}” is in the library.",
    "character.unreadable": "The picture of the character “{name}” cannot be read: save the character anew.",
    "daemon.absent": "The daemon does not run; it starts when it is needed.",
    "daemon.adopted": "Daemon {version} is ready ({device}); another program started it.",
    "daemon.command": "The daemon’s program {command} cannot be run: correct it in the settings, or leave it empty "
    "there.",
    "daemon.ended": "The daemon ended with code {code} before it was ready: see daemon.log in Celwright’s folder.",
    "daemon.image_missing": "The daemon sent a result without the image {name}: update daemon and plugin.",
    "daemon.missing": "Celwright’s daemon is not installed: install it with Celwright’s installer, or name the program "
    "celwright in the settings.",
    "daemon.not_ours": "Another program started the daemon, so it was not ended: end it there, then try again.",
    "daemon.old": "The daemon that is installed is older than this plugin: update Celwright.",
    "daemon.ready": "Daemon {version} is ready ({device}).",
    "daemon.restarting": "The daemon is restarted…",
    "daemon.slow": "The daemon was not ready after {seconds} seconds and was ended: close other programs, then try "
    "again.",
    "daemon.starting": "The daemon starts…",
    "daemon.unstartable": "The daemon’s program could not be started ({reason}): install Celwright anew, or name "
    "another program in the settings.",
    "daemon.version": "The daemon’s version {version} is older than this plugin needs: update Celwright, then restart "
    "the daemon.",
    "daemon.wrong_size": "The daemon sent a result of another size than the picture: update daemon and plugin.",
    "document.closed.kept": "The document “{title}” was closed; the result is kept: open the document and insert it "
    "from the history.",
    "document.float": "The document has floating-point colours ({depth}); 8 or 16 bits are needed: use Image > Convert "
    "Image Color Space and choose 16-bit integer.",
    "document.grey": "The document is grey, and a coloured result cannot lie in it: use Image > Convert Image Color "
    "Space and choose RGB.",
    "document.model": "The document’s colours are {model}; RGB is needed: use Image > Convert Image Color Space and "
    "choose RGB with 8 or 16 bits.",
    "document.none": "No document is open: open or create one.",
    "fault.unexpected": "Something went wrong that should not ({kind}): try it again, and copy a report with "
    "Diagnose if it stays so.",
    "fault.memory": "The memory is used up: close other documents or programs, then try again.",
    "frame.skipped": "Frame {time} was left out. {reason}",
    "frames.none": "No frame of the animation could be taken apart: choose a layer that has pixels in its frames.",
    "job.busy": "Another job runs: wait for it, or cancel it.",
    "job.cancelled": "The job was cancelled.",
    "job.interrupted": "The job was ended to restart the daemon: try it again.",
    "layer.empty": "The layer has no pixels on the canvas: choose another one.",
    "layer.gone.chosen": "A chosen layer is no longer in the document: choose another one.",
    "layer.no_active": "No layer is active: choose one in the list of layers.",
    "layer.removed": "The layer that the result was made from is gone; the result lies on top of all layers.",
    "leaks.none": "The lines have no openings up to the gap that was set.",
    "library.name": "“{name}” cannot be a file’s name: use letters, digits, spaces and hyphens.",
    "library.unwritable": "Celwright’s folder cannot be written ({reason}): free some space, or allow writing to it.",
    "made.colorize": "Colorize – {time}",
    "made.decompose": "Decompose – {time}",
    "made.flat": "flat",
    "made.frame": " – frame {time}",
    "made.highlight": "highlight",
    "made.line": "line",
    "made.shadow": "shadow",
    "palette.colors": "The palette “{name}” has {count} colours; 1 to {most} are allowed: choose another one.",
    "palette.exists": "There is a palette “{name}” already: choose another name.",
    "palette.unreadable": "The palette “{name}” cannot be read: choose another one.",
    "reference.gone": "The reference is no longer in the list: choose another one.",
    "reference.layout": "The reference’s picture has no alpha; RGBA is needed: add it anew.",
    "reference.mask.beside": "The selection lies beside the reference: select the instance in it.",
    "reference.mask.elsewhere": "The reference is no layer of this document: open its picture ({width}x{height} "
    "pixels), select the instance there, then set the mask again.",
    "reference.not_placed": "The reference has no place in this document: select where it stands, then set its place.",
    "result.gone": "The result’s layers are no longer held: run it again.",
    "result.inserted": "Inserted “{name}”.",
    "result.other_colors": "The result is for documents in RGB with {depth} bits: convert the document, or run it "
    "again.",
    "result.references": "References that the result was made with are missing: add {names} and run it again.",
    "result.unknown": "How the result was made is not known: choose what to do in the tabs.",
    "selection.elsewhere": "The selection lies beside the layer’s pixels: select a part of them, or nothing at all.",
    "selection.empty": "The selection is empty: select something on the canvas, or nothing at all.",
    "selection.needed": "Nothing is selected: select an area on the canvas first.",
    # documents and layers
    "document.closed": "The document “{title}” is closed: open it again and insert the result from the history.",
    "document.converted": "The document’s colours are {model} with {depth} now, the result was made for others: run it "
    "again.",
    "document.refused": "Krita did not take the group “{name}” into the document: unlock its layers and insert the "
    "result from the history.",
    "document.untitled": "Unnamed",
    "layer.gone": "The layer is no longer in the document: choose another one.",
    "layer.layout": "The layer’s colours are {model} with {depth}; RGBA or GRAYA with 8 or 16 bits can be read: "
    "convert it with Layer > Convert > Convert Layer Color Space.",
}

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
