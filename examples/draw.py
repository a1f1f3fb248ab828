"""Draw the example pictures of this folder: a fox, as finished picture, line art in two poses, hints and
palette.

Run it as ``python examples/draw.py``; it needs numpy and OpenCV only and always draws the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT, FINER = 1024, 1280, 4
HERE = Path(__file__).parent
Curve = np.ndarray  # (N, 2) float, picture coordinates
LIGHT = np.array([-26.0, -30.0])  # where shadows are pushed away from


def smooth(points: list[tuple[float, float]], *, closed: bool = True) -> Curve:
    """Catmull-Rom through the points."""
    p = np.array(points, float)
    p = np.vstack([p[-1], p, p[:2]]) if closed else np.vstack([p[0], p, p[-1]])
    t = np.linspace(0, 1, 24, endpoint=False)[:, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return curve.reshape(-1, 2)


def mirrored(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(WIDTH - x, y) for x, y in points]


def ellipse(x: float, y: float, rx: float, ry: float, tilt: float = 0) -> Curve:
    t = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    ring = np.stack([rx * np.cos(t), ry * np.sin(t)], 1)
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    return ring @ np.array([[c, s], [-s, c]]) + [x, y]


@dataclass
class Part:
    outline: Curve
    color: tuple[int, int, int]
    shade: tuple[float, float, float] = (0.74, 0.66, 0.80)
    shadow: list[Curve] = field(default_factory=list)  # where it is shaded besides its own rim
    gloss: list[Curve] = field(default_factory=list)
    strokes: list[Curve] = field(default_factory=list)
    rim: float = 1.0  # how far the light is off, for the shadow at the rim
    line: float = 7

    def posed(self, pose: Callable[[Curve], Curve]) -> "Part":
        curves = {name: [pose(curve) for curve in getattr(self, name)] for name in ("shadow", "gloss", "strokes")}
        return replace(self, outline=pose(self.outline), **curves)


def parts() -> list[Part]:
    fur, cream, dark, wool, tip = (233, 126, 52), (252, 240, 220), (74, 48, 52), (62, 142, 140), (250, 244, 234)
    tail = [(640, 1210), (760, 1150), (850, 1020), (842, 880), (778, 792), (800, 730), (888, 800), (948, 920)]
    tail += [(950, 1060), (890, 1190), (800, 1268), (700, 1276)]
    tip_points = [(842, 880), (778, 792), (800, 730), (888, 800), (944, 905), (908, 880), (898, 925), (868, 886)]
    body = [(352, 1290), (340, 1150), (372, 1010), (430, 930), (594, 930), (652, 1010), (684, 1150), (672, 1290)]
    chest = [(452, 960), (512, 985), (572, 960), (590, 1040), (556, 1110), (512, 1190), (468, 1110), (434, 1040)]
    ear = [(262, 420), (238, 300), (244, 170), (270, 128), (330, 190), (392, 280), (420, 350), (340, 420)]
    inner = [(288, 380), (272, 300), (278, 206), (330, 262), (368, 330)]
    head = [(512, 300), (640, 312), (752, 392), (800, 500), (856, 600), (772, 640), (690, 730), (594, 800), (512, 822)]
    head += [(430, 800), (334, 730), (252, 640), (168, 600), (224, 500), (272, 392), (384, 312)]
    cheek = [(182, 604), (260, 560), (370, 588), (446, 640), (502, 684), (514, 730), (512, 816), (430, 794)]
    cheek += [(336, 724), (254, 636)]
    brow = [(470, 470), (500, 520), (512, 612), (524, 520), (554, 470), (540, 400), (512, 360), (484, 400)]
    scarf = [(330, 812), (420, 850), (512, 862), (604, 850), (694, 812), (724, 880), (672, 950), (512, 982)]
    scarf += [(352, 950), (300, 880)]
    end = [(600, 930), (690, 920), (728, 1050), (742, 1170), (700, 1196), (622, 1186), (618, 1060)]
    fringe = [smooth([(x, y), (x + 3, y + 34)], closed=False) for x, y in ((652, 1150), (684, 1158), (712, 1146))]

    made = [
        Part(smooth(tail), fur, gloss=[smooth([(900, 880), (926, 960), (922, 1060), (904, 1010)])], rim=1.5),
        Part(smooth(tip_points), tip, (0.80, 0.78, 0.88)),
        Part(smooth(body), fur, rim=1.6,
             shadow=[smooth([(360, 930), (512, 990), (664, 930), (690, 1020), (340, 1020)])]),
        Part(smooth(chest), cream, (0.82, 0.76, 0.86),
             shadow=[smooth([(440, 940), (512, 985), (580, 940), (600, 1030), (512, 1050), (430, 1030)])]),
    ]  # fmt: skip
    for side in (list, mirrored):
        made.append(Part(smooth(side(ear)), fur, gloss=[]))
        made.append(Part(smooth(side(inner)), dark, (0.70, 0.66, 0.80), line=5))
    made += [
        Part(
            smooth(head), fur, rim=1.9,
            gloss=[smooth([(400, 340), (520, 318), (600, 340), (520, 352), (430, 372)])],
            shadow=[smooth([(690, 740), (790, 600), (860, 590), (800, 700), (600, 830)])],
            strokes=[smooth([(512, 330), (505, 300), (520, 270)], closed=False),
                     smooth([(490, 330), (474, 306)], closed=False)],
        ),
        Part(smooth(brow), cream, (0.82, 0.76, 0.86), line=0),
    ]  # fmt: skip
    for side in (list, mirrored):
        made.append(Part(smooth(side(cheek)), cream, (0.82, 0.76, 0.86), line=4, rim=0.8))
    for x in (378, 646):
        made.append(
            Part(ellipse(x, 556, 58, 74), (255, 252, 246), (0.78, 0.80, 0.92), shadow=[ellipse(x, 500, 70, 44)])
        )
        made.append(
            Part(ellipse(x + 4, 562, 40, 58), (88, 148, 66), (0.55, 0.62, 0.70), shadow=[ellipse(x, 520, 52, 40)],
                 gloss=[ellipse(x + 18, 594, 16, 13)], line=5)
        )  # fmt: skip
        made.append(Part(ellipse(x + 4, 562, 18, 34), (34, 26, 34), line=0))
        made.append(Part(ellipse(x - 12, 532, 14, 17), (255, 255, 255), line=0, rim=0))
    made += [
        Part(smooth([(470, 690), (512, 676), (554, 690), (536, 724), (512, 738), (488, 724)]), dark,
             gloss=[ellipse(498, 694, 13, 6)],
             strokes=[smooth([(512, 738), (512, 766)], closed=False),
                      smooth([(452, 764), (482, 782), (512, 766), (542, 782), (572, 764)], closed=False)]),
        Part(smooth(end), wool, shadow=[smooth([(596, 920), (700, 910), (720, 980), (610, 1000)])], strokes=fringe),
        Part(smooth(scarf), wool, rim=1.2,
             shadow=[smooth([(330, 812), (512, 862), (694, 812), (716, 852), (512, 908), (310, 852)])],
             gloss=[smooth([(360, 905), (430, 934), (500, 944), (430, 924)])],
             strokes=[smooth([(420, 884), (452, 930), (450, 966)], closed=False),
                      smooth([(590, 886), (566, 930), (572, 962)], closed=False)]),
    ]  # fmt: skip
    return made


def filled(*curves: Curve) -> np.ndarray:
    """(H, W) float32 coverage of closed curves, anti-aliased."""
    mask = np.zeros((HEIGHT * FINER, WIDTH * FINER), np.uint8)
    for curve in curves:
        cv2.fillPoly(mask, [np.round(curve * FINER).astype(np.int32)], 255)
    return cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def stroked(curve: Curve, width: float, *, closed: bool) -> np.ndarray:
    """(H, W) float32 coverage of a brush stroke that is thickest in its middle."""
    mask = np.zeros((HEIGHT * FINER, WIDTH * FINER), np.uint8)
    points = np.round((np.vstack([curve, curve[:1]]) if closed else curve) * FINER).astype(int)
    for i in range(len(points) - 1):
        swell = (
            0.75 + 0.25 * np.sin(i / len(points) * 6 * np.pi)
            if closed
            else 0.35 + 0.65 * np.sin(i / len(points) * np.pi)
        )
        cv2.line(
            mask, points[i].tolist(), points[i + 1].tolist(), 255, max(1, round(width * FINER * swell)), cv2.LINE_8
        )
    return cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def leaning(curve: Curve) -> Curve:
    """The same fox in another pose: mirrored, the head tilted, the body leaning."""
    x, y = WIDTH - curve[:, 0] + 0.16 * (HEIGHT - curve[:, 1]) - 40, curve[:, 1]
    turn = np.radians(-17) * np.clip((900 - y) / 120, 0, 1)
    x, y = x - 560, y - 860
    return np.stack([560 + np.cos(turn) * x - np.sin(turn) * y, 860 + np.sin(turn) * x + np.cos(turn) * y], 1)


def draw(pose: Callable[[Curve], Curve] = lambda curve: curve) -> tuple[np.ndarray, np.ndarray]:
    """The picture and its line art, (H, W, 4) uint8 each."""
    flat = np.empty((HEIGHT, WIDTH, 3), np.float32)
    flat[:] = np.array([238, 226, 204], np.float32) / 255
    shadow, highlight = np.ones_like(flat), np.zeros_like(flat)
    line = np.zeros((HEIGHT, WIDTH), np.float32)
    moon = filled(ellipse(512, 560, 452, 452))[..., None]
    flat = flat * (1 - moon) + moon * np.array([246, 206, 150], np.float32) / 255
    line = np.maximum(line, stroked(ellipse(512, 560, 452, 452), 5, closed=True))
    for part in (part.posed(pose) for part in parts()):
        shape = filled(part.outline)
        lit = filled(part.outline + LIGHT * part.rim)
        dark = np.maximum(shape * (1 - lit) * (part.rim > 0), *([filled(*part.shadow)] if part.shadow else [0 * shape]))
        gloss = filled(*part.gloss) if part.gloss else 0 * shape
        cover = shape[..., None]
        flat = flat * (1 - cover) + cover * np.array(part.color, np.float32) / 255
        shadow = shadow * (1 - cover) + cover * (1 - dark[..., None] * (1 - np.array(part.shade, np.float32)))
        highlight = highlight * (1 - cover) + cover * gloss[..., None] * np.array([0.55, 0.5, 0.42], np.float32)
        line = line * (1 - shape)
        if part.line:
            line = np.maximum(line, stroked(part.outline, part.line, closed=True))
        for stroke in part.strokes:
            line = np.maximum(line, stroked(stroke, part.line, closed=False))
    base = 1 - (1 - flat * shadow) * (1 - highlight)
    ink = np.array([44, 26, 38], np.float32) / 255
    picture = base * (1 - line[..., None]) + ink * line[..., None]
    opaque = np.ones((HEIGHT, WIDTH, 1), np.float32)
    for x, y in OPENINGS:
        line = line * (1 - filled(ellipse(x, y, 4.5, 4.5)))
    drawn = np.concatenate([np.where(line[..., None] > 0, ink, 0), line[..., None]], 2)
    whole, drawn = (np.round(image * 255).astype(np.uint8) for image in (np.dstack([picture, opaque]), drawn))
    return whole, drawn


NIGHT = {
    (233, 126, 52): (82, 98, 172), (252, 240, 220): (178, 196, 236), (74, 48, 52): (36, 32, 70),
    (62, 142, 140): (142, 66, 128), (250, 244, 234): (206, 220, 246), (246, 206, 150): (52, 58, 110),
    (238, 226, 204): (24, 26, 58),
}  # fmt: skip

OPENINGS = [(272, 300), (512, 982), (948, 920), (340, 1150), (752, 392)]  # where the pen of the line art did not meet

HINTS = {
    (233, 126, 52): [(512, 420), (270, 320), (754, 320), (420, 1200), (880, 1120)],
    (252, 240, 220): [(300, 640), (724, 640), (512, 1080)],
    (74, 48, 52): [(300, 320), (724, 320), (512, 702)],
    (62, 142, 140): [(512, 930), (680, 1100)],
    (255, 252, 246): [(330, 556), (598, 556)],
    (88, 148, 66): [(382, 600), (650, 600)],
    (250, 244, 234): [(850, 800)],
    (246, 206, 150): [(512, 200), (140, 640), (900, 640), (730, 880)],
    (238, 226, 204): [(60, 60), (40, 1240), (980, 700), (740, 1020)],
}


def hints(colors: dict[tuple[int, int, int], tuple[int, int, int]]) -> np.ndarray:
    """Dots of colour on transparency; ``colors`` replaces some of them."""
    image = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    for color, places in HINTS.items():
        for place in places:
            cv2.circle(image, place, 7, (*colors.get(color, color), 255), -1)
    return image


PALETTE = """GIMP Palette
Name: Fox
Columns: 4
#
233 126  52 fur
252 240 220 cream
 74  48  52 dark
 62 142 140 wool
255 252 246 eye
 88 148  66 iris
246 206 150 moon
238 226 204 paper
"""


def eyes() -> np.ndarray:
    """White where the eyes are: what a later colouring shall keep."""
    mask = np.maximum(*(filled(ellipse(x, 556, 62, 78)) for x in (378, 646)))
    return np.round(mask * 255).astype(np.uint8)


if __name__ == "__main__":
    picture, line = draw()
    images = {"fox.png": picture, "fox-line.png": line, "fox-leaning-line.png": draw(leaning)[1]}
    images |= {"fox-hints.png": hints({}), "fox-night-hints.png": hints(NIGHT)}
    for name, image in images.items():
        cv2.imwrite(str(HERE / name), cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA))
    cv2.imwrite(str(HERE / "fox-eyes.png"), eyes())
    (HERE / "fox.gpl").write_text(PALETTE, encoding="utf-8")
