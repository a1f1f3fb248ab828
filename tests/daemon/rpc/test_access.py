"""Nobody but the user reaches the daemon: sockets and token files are private, ports want the token, others TLS."""

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from celwright import access_token
from celwright.domain import Finished, Pixels, SegmentRequest
from celwright.errors import AccessDeniedError, WrongUsageError
from celwright.rpc.client import Client, TlsFiles
from celwright.rpc.endpoint import claimed_socket
from celwright.rpc.generated import celwright_pb2 as pb
from celwright.rpc.generated import celwright_pb2_grpc as pb_grpc
from daemon_under_test import Daemon, Echo, StartDaemon
from grpc_health.v1 import health_pb2, health_pb2_grpc

Noise = Callable[..., Pixels]
REFUSAL = "The token is missing or not this daemon's; send the one in its token file as Bearer token."

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Unix sockets and file modes are POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_socket_is_the_users_alone(start_daemon: StartDaemon, folder: Path) -> None:
    before = os.umask(0)
    try:
        daemon = start_daemon(Echo(), socket=folder / "new/deep/d.sock")
    finally:
        os.umask(before)
    assert mode(daemon.settings.socket) == 0o600
    assert mode(daemon.settings.socket.parent) == 0o700
    assert daemon.server.token == ""
    assert daemon.client().status().version == "9.8.7"


def test_starting_leaves_the_umask_as_it_was(start_daemon: StartDaemon) -> None:
    before = os.umask(0o22)
    try:
        start_daemon(Echo())
        assert os.umask(0o22) == 0o22
    finally:
        os.umask(before)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_wants_the_token(start_daemon: StartDaemon, noise: Noise, host: str) -> None:
    daemon = start_daemon(Echo(), host=host)
    assert isinstance(list(daemon.client().run(SegmentRequest(noise())))[-1], Finished)
    for wrong in ("", "guess", daemon.server.token[:-1], daemon.server.token + "x"):
        client = Client(daemon.server.address, wrong)
        for ask in (client.status, lambda client=client: list(client.run(SegmentRequest(noise())))):
            with pytest.raises(AccessDeniedError) as refused:
                ask()
            assert str(refused.value) == REFUSAL
        client.close()


def test_no_method_goes_without_the_token(start_daemon: StartDaemon) -> None:
    channel = start_daemon(Echo(), host="127.0.0.1").client()._channel
    stub = pb_grpc.CelwrightStub(channel)
    health = health_pb2_grpc.HealthStub(channel)
    calls: list[Callable[[], Any]] = [
        lambda: list(stub.Segment(iter([]))),
        lambda: stub.Cancel(pb.CancelRequest(job_id="1")),
        lambda: stub.FindImages(pb.FindImagesRequest()),
        lambda: list(stub.PullModel(pb.PullModelRequest())),
        lambda: health.Check(health_pb2.HealthCheckRequest()),
        lambda: channel.unary_unary("/celwright.v1.Celwright/Nothing")(b""),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError) as refused:
            call()
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert refused.value.details() == REFUSAL


def test_two_daemons_cannot_share_a_port(start_daemon: StartDaemon) -> None:
    first = start_daemon(Echo(), host="127.0.0.1")
    port = int(first.server.address.rpartition(":")[2])
    with pytest.raises(WrongUsageError) as refused:
        start_daemon(Echo(), host="127.0.0.1", port=port)
    assert str(refused.value) == (
        f"The daemon cannot listen on 127.0.0.1:{port}; it is in use or not this machine's: end the other program, or "
        f"choose another with --socket, or --host and --port."
    )


def test_the_token_is_made_once_and_private(folder: Path) -> None:
    path = folder / "own/token"
    token = access_token.created_token(path)
    assert len(token) >= 32
    assert access_token.created_token(path) == token == access_token.read_token(path)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert [child.name for child in path.parent.iterdir()] == ["token"]
    assert access_token.created_token(folder / "other") != token


def test_a_token_that_others_can_read_is_refused(folder: Path) -> None:
    path = folder / "token"
    access_token.created_token(path)
    path.chmod(0o644)
    with pytest.raises(WrongUsageError) as refused:
        access_token.created_token(path)
    assert str(refused.value) == (
        f"The token file {str(path)!r} can be read by other users; only its owner may: run chmod 600 on it, or remove "
        f"it and a new one is made."
    )


def test_a_token_that_is_not_there_is_told_in_a_sentence(folder: Path) -> None:
    (folder / "empty").touch()
    for name in ("none", "empty"):
        with pytest.raises(AccessDeniedError) as refused:
            access_token.read_token(folder / name)
        assert str(refused.value) == (
            f"No token can be read from {str(folder / name)!r}; the daemon makes one when it starts on a port: start "
            f"it, or name the file with CELWRIGHT_TOKEN_FILE."
        )


def test_a_place_where_no_token_can_be_written_is_told_in_a_sentence(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(WrongUsageError) as refused:
        access_token.created_token(folder / "file/token")
    assert str(refused.value) == (
        f"The folder {str(folder / 'file')!r} cannot be made (File exists); name another with CELWRIGHT_SOCKET and "
        f"CELWRIGHT_TOKEN_FILE."
    )
    (folder / "gone").symlink_to(folder / "no/where")
    with pytest.raises(WrongUsageError) as refused:
        access_token.created_token(folder / "gone/token")
    assert str(refused.value).startswith(f"The folder {str(folder / 'gone')!r} cannot be made (")


def test_a_second_daemon_on_the_socket_is_refused_and_the_first_lives_on(start_daemon: StartDaemon) -> None:
    first = start_daemon(Echo())
    with pytest.raises(WrongUsageError) as refused:
        start_daemon(Echo())
    assert str(refused.value) == (
        f"A daemon listens at {str(first.settings.socket)!r} already; use that one, or end it first, or choose "
        f"another --socket."
    )
    assert first.client().status().version == "9.8.7"


def test_a_living_socket_is_not_taken_from_a_program_without_our_lock(folder: Path) -> None:
    path = folder / "d.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(WrongUsageError, match=r"^A daemon listens at "), claimed_socket(path):
            pass
    assert path.exists()


def test_a_socket_that_nobody_answers_is_cleared_away(start_daemon: StartDaemon, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "d.sock"))
    assert (folder / "d.sock").exists()
    assert start_daemon(Echo()).client().status().version == "9.8.7"


def test_a_file_in_the_sockets_place_is_kept(folder: Path) -> None:
    path = folder / "d.sock"
    path.write_text("a drawing")
    with pytest.raises(WrongUsageError) as refused, claimed_socket(path):
        pass
    assert str(refused.value) == (
        f"{str(path)!r} is there and not a socket; choose another path for the daemon's socket."
    )
    assert path.read_text() == "a drawing"


def test_a_folder_without_a_lock_is_told_in_a_sentence(folder: Path) -> None:
    lock = folder / "d.sock.lock"
    lock.mkdir()
    with pytest.raises(WrongUsageError) as refused, claimed_socket(folder / "d.sock"):
        pass
    assert str(refused.value) == (
        f"The file {str(lock)!r} cannot be written (Is a directory); choose a folder of your own with --socket or "
        f"CELWRIGHT_SOCKET."
    )


def test_a_folder_that_others_can_write_to_is_refused(folder: Path) -> None:
    shared = folder / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(WrongUsageError) as refused, claimed_socket(shared / "d.sock"):
        pass
    assert str(refused.value) == (
        f"Other users may change the folder {str(shared)!r}, and so the daemon's socket in it; choose a folder of your "
        f"own with --socket or CELWRIGHT_SOCKET."
    )
    shared.chmod(0o1777)  # as /tmp: others cannot rename what is ours
    with claimed_socket(shared / "d.sock"):
        pass


def test_the_socket_is_gone_after_the_end(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(Echo())
    assert daemon.settings.socket.exists()
    daemon.stop()
    assert not daemon.settings.socket.exists()


@pytest.fixture
def certificates(folder: Path) -> Path:
    """A folder with an authority (ca.pem) and what it has signed: one pair for both the daemon and the client."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is needed to make certificates")
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch"]
    for command in (
        ["req", "-x509", *ec, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"],
        ["req", *ec, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", "own.key", "-out", "own.csr"],
        ["x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
         "-copy_extensions", "copy", "-out", "own.pem"],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)
    return folder


def test_over_tls_a_client_needs_a_certificate_and_the_token(
    start_daemon: StartDaemon, certificates: Path, noise: Noise
) -> None:
    files = {"tls_cert": "own.pem", "tls_key": "own.key", "tls_client_ca": "ca.pem"}
    daemon: Daemon = start_daemon(Echo(), host="0.0.0.0", **{key: certificates / name for key, name in files.items()})
    port = daemon.server.address.rpartition(":")[2]
    ca, cert, key = ((certificates / name).read_bytes() for name in ("ca.pem", "own.pem", "own.key"))
    with Client(f"localhost:{port}", daemon.server.token, TlsFiles(ca, cert, key)) as client:
        assert isinstance(list(client.run(SegmentRequest(noise())))[-1], Finished)
    with (
        Client(f"localhost:{port}", "guess", TlsFiles(ca, cert, key)) as client,
        pytest.raises(AccessDeniedError, match=r"^The token is missing"),
    ):
        client.status()
    bare = grpc.secure_channel(f"localhost:{port}", grpc.ssl_channel_credentials(ca))
    with bare, pytest.raises(grpc.RpcError) as refused:
        pb_grpc.CelwrightStub(bare).GetStatus(pb.GetStatusRequest(), timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_tls_file_that_is_not_there_is_told_in_a_sentence(start_daemon: StartDaemon, folder: Path) -> None:
    missing = dict.fromkeys(("tls_cert", "tls_key", "tls_client_ca"), folder / "none.pem")
    with pytest.raises(WrongUsageError) as refused:
        start_daemon(Echo(), host="0.0.0.0", **missing)
    assert str(refused.value) == (
        f"The TLS file {str(folder / 'none.pem')!r} cannot be read (No such file or directory); name another."
    )
