"""Files appear whole or not at all, and never in place of another one unasked."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from celwright.domain import Pixels
from celwright.errors import OutputError, WrongUsageError
from celwright.imaging.files import read_picture
from celwright.imaging.saving import check_output, encoded_png, write_atomically, write_png
from PIL import Image, ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """The operating system ends every write beyond ``size`` bytes with an error, as a full disk does."""
    import resource
    import signal

    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def write_and(path: Path, then: Callable[[], object], *, force: bool = False) -> None:
    """Write half a file, then let something happen."""
    with write_atomically(path, force=force) as stream:
        stream.write(b"half")
        then()


def raising(fault: BaseException) -> Callable[[], None]:
    def happen() -> None:
        raise fault

    return happen


def test_a_file_is_there_when_the_block_has_ended_and_nothing_else_is(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "a.txt") as stream:
        stream.write(b"one")
        assert not (tmp_path / "a.txt").exists()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"one")]


def test_a_fault_in_the_block_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_and(tmp_path / "a.txt", raising(ZeroDivisionError()))
    assert list(tmp_path.iterdir()) == []


def test_a_fault_leaves_the_file_that_was_to_be_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_and(tmp_path / "a.txt", raising(KeyboardInterrupt()), force=True)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"old")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no limit of file size")
def test_a_disk_that_fills_while_writing_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    path, pixels = tmp_path / "a.png", Pixels(np.random.default_rng(0).integers(0, 256, (300, 300, 4), dtype=np.uint8))
    with pytest.raises(OutputError) as fault, file_size_limit(100_000):
        write_png(path, pixels)
    assert str(fault.value) == (
        f"{path} could not be written, the disk is full: free some space or choose another disk."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_and_an_exceeded_quota_read_the_same(tmp_path: Path, number: int) -> None:
    path = tmp_path / "a.bin"
    with pytest.raises(OutputError) as fault:
        write_and(path, raising(OSError(number, os.strerror(number))))
    assert str(fault.value) == (
        f"{path} could not be written, the disk is full: free some space or choose another disk."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_read_only_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "a.bin"
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(OutputError) as fault, write_atomically(path):
        raise AssertionError("the block must not run")
    assert str(fault.value) == f"{path} could not be written, its folder is read-only: choose another folder."


def test_another_refusal_of_the_system_is_passed_on_in_its_words(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with pytest.raises(OutputError) as fault, write_atomically(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    assert str(fault.value) == f"{path} could not be written (Input/output error): choose another name or folder."


def test_an_existing_file_is_kept_without_force_and_replaced_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(WrongUsageError) as fault, write_atomically(path):
        raise AssertionError("the block must not run")
    assert str(fault.value) == f"{path} exists already; use --force to overwrite it or choose another name."
    assert path.read_bytes() == b"old"
    with write_atomically(path, force=True) as stream:
        stream.write(b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_in_the_meantime_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.txt"
    with pytest.raises(WrongUsageError) as fault:
        write_and(path, lambda: path.write_bytes(b"theirs"))
    assert str(fault.value) == f"{path} exists already; use --force to overwrite it or choose another name."
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a.txt", b"theirs")]


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    with write_atomically(tmp_path / "a.txt") as stream:
        stream.write(b"one")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"one")]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "a.psd"
    with pytest.raises(WrongUsageError) as fault:
        check_output(path)
    assert str(fault.value) == (f"The folder {path.parent} does not exist; create it or choose another for a.psd.")


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError) as fault:
        check_output(tmp_path, force=True)
    assert str(fault.value) == f"{tmp_path} is a folder; name a file to write, such as {tmp_path / 'picture.psd'}."


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no device files")
def test_a_device_is_never_replaced() -> None:
    with pytest.raises(WrongUsageError) as fault:
        check_output(Path("/dev/null"), force=True)
    assert str(fault.value) == "/dev/null is not a regular file; name a file to write."


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "target.txt").write_bytes(b"old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "target.txt")
    with write_atomically(tmp_path / "link.txt", force=True) as stream:
        stream.write(b"new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "target.txt").read_bytes() == b"new"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_png_keeps_pixels_depth_and_profile(tmp_path: Path, channels: int, depth: int) -> None:
    kind = np.uint8 if depth == 8 else np.uint16
    data = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (11, 13, channels), dtype=kind, endpoint=True)
    pixels = Pixels(data, icc=SRGB)
    kept = b"" if channels == 1 else SRGB  # a grey PNG may not hold a profile for RGB
    write_png(tmp_path / "a.png", pixels)
    back, notices = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(back.data, data if channels != 2 else pixels.rgba().data)
    assert (back.depth, back.icc, notices) == (depth, kept, ())
    with Image.open(tmp_path / "a.png") as image:
        image.load()  # another reader finds nothing wrong with the profile's chunk
        assert image.info.get("icc_profile", b"") == kept


def test_the_same_pixels_give_the_same_png(tmp_path: Path) -> None:
    data = np.arange(16 * 9 * 3, dtype=np.uint16).reshape(16, 9, 3)
    assert encoded_png(data, SRGB) == encoded_png(data.copy(), SRGB)
    decoded = cv2.imdecode(np.frombuffer(encoded_png(data, SRGB), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded[..., ::-1], data)
