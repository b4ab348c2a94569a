import json

from grpc_interop.core.side import Side
from grpc_interop.core.verdict import Difference, Pair


def test_each_side_is_the_others_other():
    assert Side.CLIENT.other is Side.SERVER
    assert Side.SERVER.other is Side.CLIENT


def test_a_side_is_written_as_its_word():
    assert json.dumps({Side.CLIENT: Side.SERVER}) == '{"client": "server"}'
    assert f"the {Side.CLIENT}'s lane" == "the client's lane"


def test_a_pair_tells_who_is_at_a_side():
    assert [Pair("go", "py").at(side) for side in Side] == ["go", "py"]


def test_the_fingerprint_of_a_difference_begins_with_its_side():
    assert Difference(Side.SERVER, "the server reported nothing").fingerprint == "server: the server reported nothing"
