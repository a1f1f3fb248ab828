"""Every way in which a server may fail ends in the right file or in one sentence."""

import hashlib
from pathlib import Path

import pytest
from celwright.errors import CelwrightError, ModelUnavailableError, OutputError
from celwright.weights.download import fetch
from celwright.weights.transport import Address
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from misbehaving_server import (
    FileServer,
    announce,
    cut,
    partial,
    redirect,
    refuse,
    replaced_by,
    unannounced,
    whole,
)

CONTENT = bytes(range(97))
OTHER = CONTENT[::-1]


class Attempt:
    """Fetches what the server offers at ``file`` into a folder, and remembers the pauses."""

    def __init__(self, folder: Path, server: FileServer) -> None:
        self.server, self.target, self.pauses = server, folder / "file.txt", []

    def __call__(self, *plan, content=CONTENT, wanted=CONTENT, token="", **about) -> list[int]:
        url = self.server.offer("file", content, *plan, **about)
        digest = hashlib.sha256(wanted).hexdigest()
        return list(fetch(Address(url, token), self.target, len(wanted), digest, self.pauses.append))

    def refused(self, *plan, kind=ModelUnavailableError, **about) -> str:
        """The sentence, with the file's address as URL."""
        with pytest.raises(CelwrightError) as refusal:
            self(*plan, **about)
        assert type(refusal.value) is kind
        return str(refusal.value).replace(f"{self.server.address}/file", "URL")


@pytest.fixture
def attempt(tmp_path: Path, server: FileServer) -> Attempt:
    return Attempt(tmp_path, server)


def left(attempt: Attempt) -> list[str]:
    return sorted(path.name for path in attempt.target.parent.iterdir())


def test_a_file_comes_whole_and_leaves_nothing_beside_it(attempt):
    steps = attempt()
    assert attempt.target.read_bytes() == CONTENT
    assert (steps[0], steps[-1], steps) == (0, 97, sorted(steps))
    assert left(attempt) == ["file.txt"]
    assert attempt.pauses == []


def test_a_whole_file_is_not_asked_for_again(attempt):
    attempt.target.write_bytes(CONTENT)
    attempt()
    assert attempt.server.requests == []


def test_a_cut_at_every_position_is_resumed_from_there(attempt):
    content = CONTENT[:32]
    for position in range(len(content)):
        attempt.target.unlink(missing_ok=True)
        attempt.server.requests.clear()
        attempt(cut(position), content=content, wanted=content)
        assert attempt.target.read_bytes() == content
        assert attempt.server.ranges() == [None, f"bytes={position}-" if position else None]
        assert attempt.server.requests[1][1].get("If-Range") == ('"1"' if position else None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 96), max_size=8), st.sampled_from(['"1"', 'W/"1"', None]))
def test_any_row_of_cuts_ends_in_the_same_file(attempt, positions, etag):
    attempt.target.unlink(missing_ok=True)
    steps = [after for before, after in zip([0, *positions], positions, strict=False) if after > before]
    attempt(*(cut(step) for step in steps[:5]), etag=etag)
    assert attempt.target.read_bytes() == CONTENT
    assert left(attempt) == ["file.txt"]


def test_stopping_keeps_what_came_and_the_next_try_goes_on(attempt):
    url = attempt.server.offer("file", CONTENT, cut(40))
    steps = fetch(Address(url), attempt.target, 97, hashlib.sha256(CONTENT).hexdigest(), attempt.pauses.append)
    assert next(step for step in steps if step) == 40
    steps.close()
    assert attempt.target.read_bytes() == CONTENT[:40]
    attempt.server.requests.clear()
    attempt()
    assert attempt.server.ranges() == ["bytes=40-"]
    assert attempt.target.read_bytes() == CONTENT


def test_a_file_that_changes_midway_is_begun_again(attempt):
    attempt(cut(40), replaced_by(CONTENT, '"2"'), content=OTHER)
    assert attempt.target.read_bytes() == CONTENT
    assert attempt.server.ranges() == [None, "bytes=40-"]


def test_a_server_that_ignores_if_range_is_found_out_by_its_etag(attempt):
    attempt(cut(40), partial("bytes 40-96/97", OTHER[40:], etag='"2"'))
    assert attempt.target.read_bytes() == CONTENT
    assert attempt.server.ranges() == [None, "bytes=40-", None]


def test_pieces_of_two_versions_without_etags_are_found_out_by_the_hash(attempt):
    attempt(cut(40), replaced_by(CONTENT, None), content=OTHER, etag=None)
    assert attempt.target.read_bytes() == CONTENT
    assert attempt.server.ranges() == [None, "bytes=40-", None]


def test_a_damaged_part_from_an_earlier_try_is_begun_again(attempt):
    attempt.target.write_bytes(OTHER[:50])
    attempt()
    assert attempt.target.read_bytes() == CONTENT
    assert attempt.server.ranges() == ["bytes=50-", None]


def test_a_part_longer_than_the_file_is_begun_again(attempt):
    attempt.target.write_bytes(CONTENT + b"more")
    attempt()
    assert attempt.server.ranges() == [None]


def test_a_server_without_ranges_sends_everything_again(attempt):
    attempt(cut(40), whole)
    assert attempt.target.read_bytes() == CONTENT


def test_another_part_than_asked_for_is_not_used(attempt):
    attempt(cut(40), partial("bytes 41-96/97", CONTENT[41:]))
    assert attempt.target.read_bytes() == CONTENT


def test_a_part_without_its_place_is_not_used(attempt):
    attempt(cut(40), partial("", CONTENT[40:]))
    assert attempt.target.read_bytes() == CONTENT


def test_a_file_that_became_shorter_is_begun_again(attempt):
    attempt(cut(40), refuse(416))
    assert attempt.target.read_bytes() == CONTENT
    assert attempt.server.ranges() == [None, "bytes=40-", None]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_tried_again_after_a_pause(attempt, status):
    attempt(refuse(status), refuse(status))
    assert attempt.target.read_bytes() == CONTENT
    assert attempt.pauses == [2, 4]


def test_a_lasting_fault_ends_after_five_tries_and_keeps_what_came(attempt):
    assert attempt.refused(cut(40), *[refuse(503)] * 9) == (
        "The file URL cannot be fetched now (the server answered 503 Service Unavailable; 40 of 97 bytes are here): "
        "try again later, it goes on from there."
    )
    assert len(attempt.server.requests) == 6
    assert attempt.target.read_bytes() == CONTENT[:40]


def test_a_server_that_begins_again_for_ever_is_left(attempt):
    assert attempt.refused(*[unannounced(CONTENT[:40])] * 99) == (
        "The file URL cannot be fetched now (the connection ended early; 40 of 97 bytes are here): try again later, "
        "it goes on from there."
    )
    assert len(attempt.server.requests) == 6


def test_nobody_listening_is_said(attempt, server):
    url = server.offer("file", CONTENT)
    server.stop()
    with pytest.raises(ModelUnavailableError) as refusal:
        list(fetch(Address(url), attempt.target, 97, "0" * 64, attempt.pauses.append))
    assert str(refusal.value) == (
        f"The file {url} cannot be fetched now (Connection refused; 0 of 97 bytes are here): try again later, it goes "
        f"on from there."
    )
    assert attempt.pauses == [2, 4, 8, 16]


@pytest.mark.parametrize(
    ("status", "words", "remedy"),
    [
        (404, "Not Found", "correct the catalogue"),
        (410, "Gone", "correct the catalogue"),
        (401, "Unauthorized", "accept the model's licence on its page and set HF_TOKEN, where it is kept on a hub"),
        (403, "Forbidden", "accept the model's licence on its page and set HF_TOKEN, where it is kept on a hub"),
        (599, "Unknown", "correct the catalogue"),
    ],
)
def test_a_refusal_is_not_tried_again(attempt, status, words, remedy):
    assert attempt.refused(refuse(status)) == f"The server answered {status} {words} for URL; {remedy}."
    assert len(attempt.server.requests) == 1


def test_an_answer_without_a_file_is_refused(attempt):
    assert attempt.refused(refuse(204)) == (
        "The server answered 204 No Content for URL, where a file was expected; try another mirror, or correct the "
        "catalogue."
    )


@pytest.mark.parametrize("length", [0, 96, 98, 10**15])
def test_a_false_size_is_refused_before_anything_is_kept(attempt, length):
    assert attempt.refused(announce(length)) == (
        f"The file URL is announced with {length} bytes, the catalogue names 97: try another mirror, or correct the "
        f"catalogue."
    )
    assert left(attempt) == []


def test_a_false_size_in_the_middle_keeps_the_part(attempt):
    assert attempt.refused(cut(40), partial("bytes 40-98/99", b"x" * 59)) == (
        "The file URL is announced with 99 bytes, the catalogue names 97: try another mirror, or correct the catalogue."
    )
    assert attempt.target.read_bytes() == CONTENT[:40]


def test_too_many_bytes_are_refused(attempt):
    assert attempt.refused(unannounced(CONTENT + b"!")) == (
        "The file URL goes on after the 97 bytes that the catalogue names; it was deleted: try another mirror, or "
        "correct the catalogue."
    )
    assert left(attempt) == []


def test_too_few_bytes_are_asked_for_again(attempt):
    attempt(unannounced(CONTENT[:96]))
    assert attempt.server.ranges() == [None, "bytes=96-"]
    assert attempt.target.read_bytes() == CONTENT


def test_a_wrong_hash_is_told_in_full_and_the_file_deleted(attempt):
    came, wanted = (hashlib.sha256(content).hexdigest() for content in (OTHER, CONTENT))
    assert attempt.refused(content=OTHER) == (
        f"The file URL arrived with SHA-256 {came}, the catalogue names {wanted}; it was deleted: try another mirror, "
        f"and do not use a file whose hash differs."
    )
    assert left(attempt) == []
    assert len(attempt.server.requests) == 1


def test_redirects_are_followed_with_the_range_and_without_the_token(attempt):
    elsewhere = f"http://localhost:{attempt.server.server_port}/there"
    attempt.server.offer("there", CONTENT)
    attempt.target.write_bytes(CONTENT[:40])
    attempt(redirect(elsewhere), token="secret")
    first, second = (headers for _, headers in attempt.server.requests)
    assert (first["Authorization"], first["Range"]) == ("Bearer secret", "bytes=40-")
    assert ("Authorization" in second, second["Range"]) == (False, "bytes=40-")
    assert attempt.target.read_bytes() == CONTENT


@pytest.mark.parametrize("place", ["{address}/file", "file:///etc/hostname", "ftp://127.0.0.1/file"])
def test_redirects_to_nowhere_are_refused(attempt, place):
    to = place.format(address=attempt.server.address)
    assert attempt.refused(*[redirect(to)] * 99) == (
        "The server answered 302 Found for URL; it redirects in a circle or to where no file can be fetched: "
        "correct the catalogue."
    )


def test_a_proxy_of_the_environment_is_used(attempt, server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.address)
    server.offer("weights.txt", CONTENT)
    url = "http://models.invalid/weights.txt"
    list(fetch(Address(url), attempt.target, 97, hashlib.sha256(CONTENT).hexdigest(), attempt.pauses.append))
    assert [path for path, _ in server.requests] == [url]
    assert attempt.target.read_bytes() == CONTENT


def test_a_disk_that_takes_no_more_is_said(attempt):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60, before[1]))
    try:
        sentence = attempt.refused(kind=OutputError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sentence == (
        f"{attempt.target} could not be written (File too large); free some space there, or choose another place with "
        f"CELWRIGHT_MODELS."
    )
    attempt()
    assert attempt.target.read_bytes() == CONTENT
