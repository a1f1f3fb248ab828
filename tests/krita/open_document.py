"""Runs inside Krita (kritarunner): opens DOCUMENT and writes what Krita made of it to ANSWER."""

import json
import os
import sys
import traceback

from krita import Krita


def main(*_):
    try:
        document = Krita.instance().openDocument(os.environ["DOCUMENT"])
        document.refreshProjection()
        document.waitForDone()
        width, height = document.width(), document.height()
        nodes = [
            {
                "name": node.name(), "blend": node.blendingMode(), "opacity": node.opacity(),
                "visible": node.visible(), "type": node.type(),
            }
            for node in document.rootNode().childNodes()
        ]  # fmt: skip
        with open(os.environ["ANSWER"], "w", encoding="utf-8") as answer:
            json.dump({"size": [width, height], "depth": document.colorDepth(), "nodes": nodes}, answer)
        with open(os.environ["ANSWER"] + ".pixels", "wb") as pixels:
            pixels.write(bytes(document.pixelData(0, 0, width, height)))
    except Exception:  # noqa: BLE001 - Krita would show it in a dialog and hang
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(3)
    sys.stdout.flush()
    os._exit(0)  # kritarunner's own exit code is always 0
