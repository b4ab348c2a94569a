"""A driver's resources: each is made once, when it is first needed, and is ready or refused by itself."""

import time

import pytest

from grpc_interop.core.endpoint import PLAIN, Endpoint
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import ContractBroken
from grpc_interop.drivers.resources import READY_SECONDS, Resource, Resources

LIMITED = Endpoint(max_receive_bytes=1_000)


class Owner:
    """Resources, and the commands that they have sent."""

    def __init__(self) -> None:
        self.sent: list[pb.Command] = []
        self.payloads: list[int] = []
        self.resources = Resources(self._order, lambda _body, payload: self.payloads.append(payload))

    def _order(self, command: pb.Command) -> int:
        self.sent.append(command)
        return len(self.sent)

    def ready(self, resource: Resource, address: str = "") -> None:
        assert self.resources.take(pb.Event(id=resource.id, ready=pb.Ready(address=address))) is resource


@pytest.fixture
def owner() -> Owner:
    return Owner()


def test_each_endpoint_has_one_server(owner: Owner) -> None:
    plain, limited = owner.resources.server(PLAIN), owner.resources.server(LIMITED)
    assert plain is not limited
    assert owner.resources.server(Endpoint(max_receive_bytes=1_000)) is limited
    options = pb.Options(max_receive_bytes=1_000)
    assert owner.sent == [pb.Command(serve=pb.Serve()), pb.Command(requires=["max_receive_bytes"], serve=pb.Serve(options=options))]


def test_each_target_and_endpoint_has_one_channel(owner: Owner) -> None:
    make = owner.resources.channel
    assert make("a", PLAIN) is make("a", PLAIN)
    assert len({make(target, endpoint).id for target in "ab" for endpoint in (PLAIN, LIMITED)}) == 4
    assert make("a", PLAIN, own=True) is not make("a", PLAIN, own=True)


def test_a_server_is_ready_with_its_address(owner: Owner) -> None:
    first, second = owner.resources.server(PLAIN), owner.resources.server(LIMITED)
    owner.ready(second, "127.0.0.1:2")
    assert [(server.ready, server.address) for server in (first, second)] == [(False, ""), (True, "127.0.0.1:2")]
    assert owner.resources.addresses == ["127.0.0.1:2"]


def test_a_server_elsewhere_breaks_the_contract(owner: Owner) -> None:
    with pytest.raises(ContractBroken, match="is allowed"):
        owner.ready(owner.resources.server(PLAIN), "0.0.0.0:1")


def test_a_refusal_is_that_of_one_resource(owner: Owner) -> None:
    refused, other = owner.resources.server(LIMITED), owner.resources.channel("a", LIMITED)
    error = pb.Error(kind=pb.Error.KIND_REFUSED, text="no port left")
    assert owner.resources.take(pb.Event(id=refused.id, error=error)) is refused
    assert refused.refusal == "has no server with max_receive_bytes = 1,000: no port left"
    assert other.refusal == ""


def test_a_resource_that_is_never_ready_counts_as_refused(owner: Owner) -> None:
    late, ready = owner.resources.channel("a", PLAIN), owner.resources.channel("b", PLAIN)
    owner.ready(ready)
    owner.resources.expire(time.monotonic() + READY_SECONDS - 1)
    assert late.refusal == ""
    owner.resources.expire(time.monotonic() + READY_SECONDS)
    assert late.refusal == "has no channel: it was not ready within 60 s"
    assert ready.refusal == ""
    # It comes too late: the cases that waited for it have failed.
    assert owner.resources.take(pb.Event(id=late.id, ready=pb.Ready())) is None


def test_other_answers_are_not_about_resources(owner: Owner) -> None:
    server = owner.resources.server(PLAIN)
    owner.ready(server, "127.0.0.1:1")
    for event in (pb.Event(id=server.id, done=pb.Done()), pb.Event(id=server.id, error=pb.Error()), pb.Event(id=7, ready=pb.Ready())):
        assert owner.resources.take(event) is None


def test_the_refusal_of_a_channel_for_one_case_is_left_to_those_who_report_errors(owner: Owner) -> None:
    """
    Its play is sent at once, and says only that there is no such channel.
    """
    own = owner.resources.channel("a", PLAIN, own=True)
    assert owner.resources.take(pb.Event(id=own.id, error=pb.Error(text="no port left"))) is None
    owner.resources.expire(time.monotonic() + 2 * READY_SECONDS)
    assert own.refusal == ""


def test_the_channels_to_a_server_that_is_gone_are_closed(owner: Owner) -> None:
    channels = [owner.resources.channel(target, endpoint) for target in ("gone", "here") for endpoint in (PLAIN, LIMITED)]
    owner.resources.drop_channels(["gone"])
    assert [command.close.resource for command in owner.sent[4:]] == [channel.id for channel in channels[:2]]
    assert owner.resources.channel("here", PLAIN) is channels[2]
    assert owner.resources.channel("gone", PLAIN) is not channels[0]


def test_a_payload_is_sent_once(owner: Owner) -> None:
    owner.resources.provide([(1, "t.M", b"a"), (2, "t.M", b"b")])
    owner.resources.provide([(2, "t.M", b"b"), (3, "t.M", b"c")])
    assert owner.payloads == [1, 2, 3]
    owner.resources.forget_payloads(before=3)
    assert sorted(command.close.resource for command in owner.sent) == [1, 2]
    owner.resources.provide([(3, "t.M", b"c")])
    assert owner.payloads == [1, 2, 3]
