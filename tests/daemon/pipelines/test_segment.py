"""Claims about the segment pipeline as its users see it."""

import cv2
import numpy as np
import pytest
from celwright.domain import Finished, Pixels, Progress, SegmentRequest
from celwright.errors import UnusableInputError
from celwright.pipelines.segment import SegmentPipeline
from celwright.regions.show import labels_of


def drawing(gap: int = 6, *, offset: tuple[int, int] = (0, 0)) -> Pixels:
    """(120, 160) a square whose top is open over ``gap`` pixels, on white paper."""
    image = np.full((120, 160, 3), 255, np.uint8)
    cv2.rectangle(image, (40, 30), (110, 90), (40, 0, 0), 3)
    image[:60, 70 : 70 + gap] = 255
    return Pixels(image, offset)


def finished(request: SegmentRequest) -> Finished:
    *_, last = SegmentPipeline().run(request)
    assert isinstance(last, Finished)
    return last


def test_a_drawing_becomes_region_ids_and_a_preview():
    result = finished(SegmentRequest(drawing()))
    labels = labels_of(result.images["regions"])
    assert (labels[5, 5], labels[60, 75]) == (1, 2)
    assert set(np.unique(labels)) == {1, 2}
    assert (result.images["preview"].data[..., 3] == 255).all()
    assert result.report.regions == 2


def test_the_report_tells_leaks_and_seconds_by_stage():
    report = finished(SegmentRequest(drawing())).report
    assert len(report.leaks) == 1
    assert abs(report.leaks[0].x - 73) <= 2
    assert set(report.seconds) == {"load", "segment", "show"}
    assert report.notices == ()


def test_the_leak_picture_comes_when_asked_for():
    assert "leaks" not in finished(SegmentRequest(drawing())).images
    assert finished(SegmentRequest(drawing(), leaks=True)).images["leaks"].size == (160, 120)


def test_pictures_lie_where_the_line_art_lay():
    result = finished(SegmentRequest(drawing(offset=(-7, 9)), leaks=True))
    assert {image.offset for image in result.images.values()} == {(-7, 9)}


def test_progress_names_its_stages_in_order():
    *before, _ = SegmentPipeline().run(SegmentRequest(drawing()))
    assert [event.stage for event in before if isinstance(event, Progress)] == ["load", "segment", "segment", "show"]


def test_open_line_art_is_told_what_to_do():
    report = finished(SegmentRequest(drawing(gap=40), gap=8)).report
    assert report.regions == 1
    assert report.notices == (
        "The lines enclose no region worth the name, so nearly the whole page is one region (openings up to 8 pixels "
        "were closed): close the outlines, or raise the gap.",
    )


def test_a_page_of_ink_alone_is_told_so():
    image = np.zeros((64, 64, 4), np.uint8)
    image[:, :, 3] = 255
    image[0, 0:42, 3] = 0
    report = finished(SegmentRequest(Pixels(image))).report
    assert report.regions is not None
    assert report.notices == (
        "The lines enclose no region worth the name, so nearly the whole page is one region (openings up to 8 pixels "
        "were closed): close the outlines, or raise the gap.",
    )


def test_a_page_without_a_line_is_refused():
    with pytest.raises(UnusableInputError) as fault:
        list(SegmentPipeline().run(SegmentRequest(Pixels(np.full((20, 20, 3), 200, np.uint8)))))
    assert str(fault.value) == (
        "The line art has no line: nothing differs from its paper by 20/255 or more; "
        "choose the layer that holds the lines."
    )
