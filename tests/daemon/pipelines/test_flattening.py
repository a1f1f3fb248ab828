import numpy as np
import pytest
from celwright.imaging.tiling import Band
from celwright.pipelines.decompose import flattening
from celwright.pipelines.decompose.flattening import by_area, flattened

SKIN, SHADE, SHINE, CLOTH = ((np.array(color) / 255).astype(np.float32) for color in (
    (230, 190, 160), (185, 145, 120), (250, 245, 240), (60, 90, 160),
))  # fmt: skip
HEIGHT, WIDTH = 60, 80


def scene():
    """Skin with a shadow below it and a shine in it, blue cloth to the right beyond a line, as pixels; and what a
    network sees that finds no shading and takes the picture for the flat."""
    picture = np.tile(SKIN, (HEIGHT, WIDTH, 1))
    picture[35:, :50], picture[8:18, 10:20] = SHADE, SHINE
    picture[:, 52:] = CLOTH
    picture[:, 50:52] = 0
    pixels = np.round(picture * 255).astype(np.uint8)
    planes = np.zeros((HEIGHT, WIDTH, 13), np.float32)
    planes[..., 4:7] = picture
    planes[..., 7:10] = 1
    planes[:, 50:52, 0] = 1
    return pixels, planes


def vote(planes, where, flat, shadow=1.0, highlight=0.0):
    planes[(*where, slice(4, 7))] = flat
    planes[(*where, slice(7, 10))] = shadow
    planes[(*where, slice(10, 13))] = highlight


def test_an_area_of_which_a_part_is_seen_as_shadow_becomes_shadow_whole():
    pixels, planes = scene()
    vote(planes, (slice(35, 45), slice(0, 20)), SKIN, shadow=0.75)
    found = flattened(pixels, planes)
    np.testing.assert_allclose(found[35:, :50, 4:7], np.broadcast_to(SKIN, (25, 50, 3)), atol=0.005)
    np.testing.assert_allclose(found[36:, :50, 7:10], np.broadcast_to(SHADE / SKIN, (24, 50, 3)), atol=0.01)
    np.testing.assert_allclose(found[20:33, :50, 7:10], 1, atol=0.01)


def test_an_area_that_nobody_sees_as_shadow_keeps_its_colour_as_flat():
    pixels, planes = scene()
    vote(planes, (slice(35, 36), slice(0, 20)), SKIN, shadow=0.75)  # a few pixels are no votes
    found = flattened(pixels, planes)
    np.testing.assert_allclose(found[40:, :45, 4:7], np.broadcast_to(SHADE, (20, 45, 3)), atol=0.005)
    np.testing.assert_allclose(found[40:, :45, 7:10], 1, atol=0.01)


def test_a_shadow_is_not_laid_on_the_flat_beyond_a_line():
    pixels, planes = scene()
    vote(planes, (slice(None), slice(52, None)), CLOTH * 1.2, shadow=0.8)
    found = flattened(pixels, planes)
    np.testing.assert_allclose(found[30, 60:, 4:7], np.broadcast_to(CLOTH * 1.2, (20, 3)), atol=0.01)


def test_a_shine_takes_the_flat_around_it():
    pixels, planes = scene()
    vote(planes, (slice(8, 18), slice(10, 18)), SKIN, highlight=0.6)
    found = flattened(pixels, planes)
    np.testing.assert_allclose(found[10:16, 12:18, 4:7], np.broadcast_to(SKIN, (6, 6, 3)), atol=0.005)
    assert (found[10:16, 12:18, 10:13] > 0.5).all()


def test_a_spot_of_another_hue_is_no_shine():
    pixels, planes = scene()
    pixels[8:18, 10:20] = (240, 120, 90)
    vote(planes, (slice(8, 18), slice(10, 20)), SKIN, highlight=0.6)
    found = flattened(pixels, planes)
    np.testing.assert_allclose(found[12, 15, 4:7] * 255, (240, 120, 90), atol=0.1)
    assert found[12, 15, 10:13].max() < 0.01


def test_ink_on_light_colour_is_no_shadow():
    pixels, planes = scene()
    pixels[35:, :50] = (20, 18, 25)
    vote(planes, (slice(35, None), slice(0, 50)), SKIN, shadow=0.1)
    np.testing.assert_allclose(flattened(pixels, planes)[45, 20, 4:7] * 255, (20, 18, 25), atol=0.1)


def test_between_two_flats_the_edge_mixes_them_as_the_picture_does():
    pixels, planes = scene()
    planes[..., 0] = 0
    pixels[:, 50:] = np.round(CLOTH * 255)
    pixels[:, 50] = np.round((0.25 * SKIN + 0.75 * CLOTH) * 255)
    pixels[35:] = pixels[20]
    found = flattened(pixels, planes)
    np.testing.assert_allclose(found[30, 50, 4:7], 0.25 * SKIN + 0.75 * CLOTH, atol=0.01)


def test_soft_shading_stays_as_the_network_saw_it():
    ramp = np.linspace(60, 220, WIDTH).astype(np.uint8)
    pixels = np.repeat(np.repeat(ramp[None, :, None], HEIGHT, axis=0), 3, axis=2)
    planes = np.random.default_rng(1).random((HEIGHT, WIDTH, 13)).astype(np.float32)
    planes[..., 0] = 0
    np.testing.assert_array_equal(flattened(pixels, planes), planes)


def test_what_comes_in_is_not_written_to_and_16_bit_is_seen_as_8_bit():
    pixels, planes = scene()
    vote(planes, (slice(35, None), slice(0, 50)), SKIN, shadow=0.75)
    before = planes.copy()
    found = flattened(pixels, planes)
    np.testing.assert_array_equal(planes, before)
    np.testing.assert_allclose(flattened(pixels.astype(np.uint16) * 257, planes), found, atol=1e-5)


def bands(planes, rows):
    for start in range(0, len(planes), rows):
        yield None
        yield Band(start, min(start + rows, len(planes)), planes[start : start + rows])


def test_a_picture_that_fits_is_seen_whole_however_its_bands_come():
    pixels, planes = scene()
    vote(planes, (slice(35, 45), slice(0, 20)), SKIN, shadow=0.75)
    *waiting, band = by_area(pixels, bands(planes, 7))
    assert waiting == [None] * 9
    assert (band.start, band.stop) == (0, HEIGHT)
    np.testing.assert_array_equal(band.image, flattened(pixels, planes))


@pytest.mark.parametrize(("height", "sections"), [(35, 1), (36, 2), (50, 2), (95, 3), (133, 5)])
def test_a_long_picture_comes_in_sections_that_follow_one_another(monkeypatch, height, sections):
    monkeypatch.setattr(flattening, "SECTION", 30 * WIDTH)
    monkeypatch.setattr(flattening, "CONTEXT", 5)
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (height, WIDTH, 3)).astype(np.uint8)
    planes = rng.random((height, WIDTH, 13)).astype(np.float32)
    planes[..., 0] = 1  # nothing but line: no area, so that nothing changes
    found = [band for band in by_area(pixels, bands(planes, 11)) if band is not None]
    assert [band.start for band in found] == [0, *(band.stop for band in found[:-1])]
    assert found[-1].stop == height
    assert len(found) == sections
    np.testing.assert_array_equal(np.concatenate([band.image for band in found]), planes)
