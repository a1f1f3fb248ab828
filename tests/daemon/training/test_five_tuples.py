import cv2
import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import WrongUsageError
from celwright.layers import LayerStack, compose, quantized
from celwright.pipelines.decompose.layered_planes import ResultLayers, recomposed
from celwright.psd import write
from celwright.psd.tree import four_layers
from celwright.training.five_tuples import FRAMES, five_tuples

WIDTH, HEIGHT = 24, 16


def plain(red, green, blue, alpha=255):
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    picture[...] = red, green, blue, alpha
    return picture


def save(folder, **layers):
    folder.mkdir(parents=True)
    for name, picture in layers.items():
        cv2.imwrite(str(folder / f"{name}.png"), cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))


def test_folders_and_psd_files_are_found_at_any_depth_by_path(tmp_path):
    save(tmp_path / "b", composite=plain(1, 2, 3), line=plain(0, 0, 0, 0), flat=plain(1, 2, 3))
    save(tmp_path / "a/deep", source=plain(1, 2, 3), lineart=plain(0, 0, 0, 0), flat=plain(1, 2, 3))
    save(tmp_path / "c", composite=plain(1, 2, 3), line=plain(0, 0, 0, 0))  # without a flat: nothing to learn from
    found = five_tuples(tmp_path)
    assert [example.path for example in found] == [tmp_path / "a/deep", tmp_path / "b"]
    assert found[0].found == {"composite": "source.png", "line": "lineart.png", "flat": "flat.png"}


def test_layers_come_in_the_papers_order_and_missing_ones_are_transparent(tmp_path):
    save(tmp_path / "x", composite=plain(9, 9, 9), line=plain(1, 1, 1), flat=plain(2, 2, 2), highlight=plain(3, 3, 3))
    (example,) = five_tuples(tmp_path)
    pictures = example.pictures(WIDTH, HEIGHT)
    assert FRAMES == ("composite", "line", "flat", "light", "shadow")
    assert pictures.shape == (5, HEIGHT, WIDTH, 4)
    assert [int(picture[0, 0, 0]) for picture in pictures] == [9, 1, 2, 3, 0]
    assert not pictures[4].any()


def test_a_picture_is_fitted_whole_and_centred_on_transparency(tmp_path):
    save(tmp_path / "x", composite=plain(9, 9, 9), line=plain(1, 1, 1), flat=plain(2, 2, 2))
    (example,) = five_tuples(tmp_path)
    picture = example.pictures(12, 12)[0]  # 24x16 becomes 12x8
    assert not picture[:2].any()
    assert not picture[-2:].any()
    np.testing.assert_array_equal(picture[2:-2], np.broadcast_to([9, 9, 9, 255], (8, 12, 4)))


def test_multiply_and_screen_layers_of_a_psd_become_result_colours(tmp_path):
    """What this program writes can be learnt from: laid normally, its layers give the same picture."""
    rng = np.random.default_rng(0)
    stack = LayerStack(
        line=Pixels(plain(20, 10, 30, 0)),
        flat=Pixels(np.dstack([rng.integers(40, 220, (HEIGHT, WIDTH, 3)), np.full((HEIGHT, WIDTH), 255)]).astype("u1")),
        shadow=Pixels(plain(120, 90, 160, 200)),
        highlight=Pixels(plain(250, 240, 200, 60)),
    )
    picture = quantized(compose(stack), 8)
    write.write(tmp_path / "page.psd", four_layers(stack), Pixels(picture))
    (example,) = five_tuples(tmp_path)
    composite, line, flat, light, shadow = example.pictures(WIDTH, HEIGHT) / np.float32(255)
    np.testing.assert_array_equal(composite, picture / np.float32(255))
    again = recomposed(ResultLayers(line, flat, light, shadow))
    np.testing.assert_allclose(again, composite, atol=3 / 255)


def test_a_folder_without_examples_is_refused(tmp_path):
    with pytest.raises(WrongUsageError) as fault:
        five_tuples(tmp_path)
    assert str(fault.value) == (
        f"There is nothing to learn from in {tmp_path}; folders with composite.png, line.png, flat.png, highlight.png "
        f"and shadow.png, or PSD files with layers of such names, are needed: name the folder that holds them."
    )


def test_layers_of_another_size_than_the_picture_are_refused(tmp_path):
    save(tmp_path / "x", composite=plain(9, 9, 9), line=plain(1, 1, 1), flat=plain(2, 2, 2)[:10])
    (example,) = five_tuples(tmp_path)
    with pytest.raises(WrongUsageError) as fault:
        example.pictures(8, 8)
    assert str(fault.value) == (
        f"The flat layer of {tmp_path / 'x'} is 24x10 pixels, its composite 24x16; both must match: export it with the "
        f"whole picture."
    )
