"""What a server and a channel are made with takes effect."""

import subprocess
from pathlib import Path

import pytest

from driver_process import DriverProcess
from grpc_interop.drivers import driver_pb2 as pb
from plays import BIDI, HALF_CLOSE, RECEIVE, TO_END, UNARY, Stage, finish, seen

OK, RESOURCE_EXHAUSTED, UNAVAILABLE = 0, 8, 14
Pair = tuple[DriverProcess, DriverProcess]


def greet(stage: Stage, text: str = "World") -> tuple[pb.Transcript, pb.Transcript]:
    """A unary call there and back."""
    request, response = stage.send(text, "HelloRequest"), stage.reply("hi", "HelloReply")
    return stage.play(UNARY, [[request, TO_END]], [[RECEIVE, response, finish()]])


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_compression_of_everything_or_of_one_call(pair: Pair, name: str) -> None:
    stage = Stage(*pair, pb.Options(compression=name))
    client, server = greet(stage, "x" * 100)
    assert (client.status.code, seen(server)) == (OK, [["x" * 100]])

    plain = Stage(*pair)
    case = plain.expect(BIDI, [[RECEIVE, plain.reply("y" * 100), TO_END, finish()]], compression=name)
    plain.call(case, BIDI, [[plain.send("x" * 100), HALF_CLOSE, TO_END]], compression=name)
    client, server = plain.transcripts(case)
    assert (seen(client), seen(server)) == ([["y" * 100, "<end>"]], [["x" * 100, "<end>"]])


def test_the_largest_message(pair: Pair) -> None:
    stage = Stage(*pair, pb.Options(max_receive_bytes=50))

    assert greet(stage, "x" * 48)[0].status.code == OK
    case = stage.expect(UNARY, [[RECEIVE, finish()]])
    stage.call(case, UNARY, [[stage.send("x" * 49, "HelloRequest"), TO_END]])
    assert stage.client.event(case).transcript.status.code == RESOURCE_EXHAUSTED
    stage.abort(stage.server, case, if_not_arrived=True)
    assert not stage.server.event(case).transcript.arrived


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not list its connections there")
def test_every_channel_has_a_connection_of_its_own(pair: Pair) -> None:
    """Else what one case does to its connection would be felt by the others."""
    stage = Stage(*pair)
    greet(stage)
    assert _connections_to(stage.address) == 1

    stage.channel = stage.client.dial(stage.address)
    greet(stage)
    assert _connections_to(stage.address) == 2


def _connections_to(address: str) -> int:
    """How many TCP connections there are to an address."""
    port, established = f":{int(address.rpartition(':')[2]):04X}", "01"
    tables = (Path("/proc/net", table).read_text().splitlines()[1:] for table in ("tcp", "tcp6"))
    rows = (row.split() for table in tables for row in table)
    return sum(row[2].endswith(port) and row[3] == established for row in rows)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate that signs itself, for `127.0.0.1`."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=interop", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", folder / "key", "-out", folder / "chain"], check=True, capture_output=True)
    return folder


def test_tls_with_and_without_a_client_certificate(pair: Pair, certificates: Path) -> None:
    key, chain = (certificates / "key").read_bytes(), (certificates / "chain").read_bytes()
    mutual = pb.Options(tls=pb.Tls(roots=chain, chain=chain, key=key))
    anonymous = pb.Options(tls=pb.Tls(roots=chain))

    stage = Stage(*pair, mutual)
    assert greet(stage)[0].status.code == OK

    stage.channel = stage.client.dial(stage.address, anonymous)
    assert _status_of_refused_call(stage) == UNAVAILABLE
    stage.channel = stage.client.dial(stage.address)
    assert _status_of_refused_call(stage) == UNAVAILABLE


def _status_of_refused_call(stage: Stage) -> int:
    case = 10**9 + stage.channel  # of no play that the server knows
    stage.call(case, UNARY, [[stage.send("World", "HelloRequest"), TO_END]])
    return int(stage.client.event(case).transcript.status.code)
