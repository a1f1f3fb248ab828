import numpy as np
import pytest
from celwright.domain import DecomposeRequest, Finished, Pixels, Preview, Progress
from celwright.pipelines.decompose import estimates
from celwright.pipelines.decompose import pipeline as decompose
from celwright.pipelines.decompose.pipeline import DecomposePipeline, on_white

NAMES = {"line", "flat", "shadow", "highlight", "composite"}


def by_brightness(tile):
    """A pixelwise stand-in for the network: dark is line, the rest is flat."""
    color = tile.astype(np.float32) / np.iinfo(tile.dtype).max
    planes = np.zeros((*tile.shape[:2], 13), np.float32)
    planes[..., 0] = color.mean(2) < 0.2
    planes[..., 4:7] = np.round(color * 4) / 4
    planes[..., 7:10] = 1
    return planes


def drawing(height, width, channels=3, depth=8):
    """Coloured squares with black borders and a soft diagonal shade."""
    y, x = np.mgrid[0:height, 0:width]
    color = np.stack([(x // 24 % 4 + 1) / 4, (y // 24 % 3 + 1) / 4, np.full(x.shape, 0.75)], 2)
    color = color * (1 - 0.2 * ((x + y) % 64 > 40))[..., None]
    color[(x % 24 < 2) | (y % 24 < 2)] = 0.05
    alpha = np.where(x > width // 6, 1.0, x / max(width // 6, 1))[..., None]
    picture = {1: color[..., :1], 2: np.concatenate([color[..., :1], alpha], 2), 3: color}.get(
        channels, np.concatenate([color, alpha], 2)
    )
    kind = np.uint8 if depth == 8 else np.uint16
    return Pixels((picture * np.iinfo(kind).max).astype(kind), offset=(-3, 7), icc=b"profile")


def finished(picture, fidelity="clean", load=lambda name: by_brightness):
    events = list(DecomposePipeline(load).run(DecomposeRequest(picture, fidelity)))
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1
    return events[-1]


@pytest.mark.parametrize("size", [(8, 8), (9, 31), (67, 130), (8, 400), (800, 45)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_layers_of_any_size_lie_where_the_picture_lies(size, channels):
    picture = drawing(*size, channels)
    images = finished(picture).images
    assert set(images) == NAMES
    for image in images.values():
        assert (image.size, image.channels, image.depth) == (picture.size, 4, 8)
        assert (image.offset, image.icc) == (picture.offset, picture.icc)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [3, 4])
def test_exact_layers_give_the_picture_back(depth, channels):
    picture = drawing(70, 90, channels, depth)
    result = finished(picture, "exact")
    opaque = picture.alpha() == picture.top
    difference = np.abs(result.images["composite"].data[..., :3].astype(int) - picture.data[..., :3])[opaque]
    assert difference.max() <= 2 * (picture.top // 255)
    assert result.report.recomposition.max <= 2.1


def test_a_picture_in_many_tiles_equals_the_same_in_one(monkeypatch):
    picture = drawing(150, 210)
    at_once = finished(picture).images
    monkeypatch.setattr(decompose, "TILE", 64)
    monkeypatch.setattr(decompose, "OVERLAP", 16)
    monkeypatch.setattr(decompose, "FIT_PIXELS", 2000)
    in_tiles = finished(picture).images
    for name in NAMES:
        difference = np.abs(at_once[name].data.astype(int) - in_tiles[name].data)
        assert difference.max() <= 1, name  # blending weights sum to one within rounding


@pytest.mark.parametrize("size", [(200, 331), (331, 200)])
def test_a_picture_larger_than_the_working_size_gets_full_size_layers(monkeypatch, size):
    monkeypatch.setattr(estimates, "WORKING_SIDE", 80)
    monkeypatch.setattr(decompose, "TILE", 64)
    monkeypatch.setattr(decompose, "OVERLAP", 16)
    monkeypatch.setattr(decompose, "FIT_PIXELS", 20_000)
    seen = []

    def predict(tile):
        seen.append(tile.shape)
        return by_brightness(tile)

    picture = drawing(*size)
    result = finished(picture, load=lambda name: predict)
    assert max(max(shape[:2]) for shape in seen) <= 64
    assert result.images["composite"].size == picture.size
    assert result.report.recomposition.psnr > 35


def test_progress_rises_to_one_and_a_preview_comes_half_way(monkeypatch):
    monkeypatch.setattr(decompose, "TILE", 64)
    monkeypatch.setattr(decompose, "OVERLAP", 8)
    monkeypatch.setattr(decompose, "FIT_PIXELS", 64 * 64)
    events = list(DecomposePipeline(lambda name: by_brightness).run(DecomposeRequest(drawing(300, 100))))
    done = [event.fraction for event in events if isinstance(event, Progress) and event.stage == "decompose"]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1)
    previews = [event.image for event in events if isinstance(event, Preview)]
    assert len(previews) == 1
    assert max(previews[0].size) <= 512
    assert previews[0].data[:20, ..., 3].all()


def test_no_tile_is_computed_after_the_caller_stops_iterating(monkeypatch):
    monkeypatch.setattr(decompose, "TILE", 64)
    monkeypatch.setattr(decompose, "OVERLAP", 8)
    calls = []

    def predict(tile):
        calls.append(tile.shape)
        return by_brightness(tile)

    events = DecomposePipeline(lambda name: predict).run(DecomposeRequest(drawing(200, 200)))
    next(event for event in events if isinstance(event, Progress) and event.stage == "decompose")
    events.close()
    assert len(calls) == 1


def test_the_network_is_loaded_on_first_use_and_again_after_unload():
    loads = []

    def load(name):
        loads.append(name)
        return by_brightness

    pipeline = DecomposePipeline(load)
    assert loads == []
    request = DecomposeRequest(drawing(20, 20))
    list(pipeline.run(request))
    list(pipeline.run(request))
    assert loads == ["embedded"]
    pipeline.unload()
    list(pipeline.run(request))
    assert loads == ["embedded", "embedded"]


def test_seconds_are_stated_by_stage():
    report = finished(drawing(20, 20)).report
    assert set(report.seconds) == {"load", "infer", "fit"}
    assert all(value >= 0 for value in report.seconds.values())
    assert report.model == "embedded"


def test_transparency_is_seen_as_white_paper():
    data = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [0, 100, 200, 51]]] * 8, np.uint8)
    data = np.repeat(data, 3, axis=1)
    seen = on_white(Pixels(data))
    assert seen[0, 0].tolist() == [255, 255, 255]
    assert seen[0, 3].tolist() == [10, 20, 30]
    assert seen[0, 6].tolist() == [204, 224, 244]


def test_sixteen_bit_pictures_are_laid_on_white_without_losing_bits():
    data = np.full((8, 8, 4), 65535, np.uint16)
    data[..., 0] = 12345
    assert on_white(Pixels(data))[0, 0].tolist() == [12345, 65535, 65535]
