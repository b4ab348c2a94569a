"""Names that Go's plugins would write into programs as they are."""

from pathlib import Path

import pytest
from buildtool.generator import build_plugins
from buildtool.toolchain import Toolchain
from buildtool.tree import Tree
from export.answer import not_identifier
from export.names import quoted
from export.program import pairs
from export.signals import signalled
from google.protobuf.descriptor_pb2 import FileDescriptorProto

CACHE = Path(__file__).parents[2] / ".interop" / "cache" / "go"


@pytest.mark.parametrize("name", ['x" + f() + ".proto', "x\n\nfunc init() { f() }\n//.proto", "x\\.proto", "x\r.proto"])
def test_a_file_whose_name_would_end_a_literal_is_left_out(name: str) -> None:
    """
    And what imports it, whatever let them in; of the rest code is generated.
    """
    files = [
        FileDescriptorProto(name=name, package="odd"),
        FileDescriptorProto(name="user.proto", dependency=[name], package="user"),
        FileDescriptorProto(name="it's fine, really.proto", package="fine"),
    ]
    for file in files:
        file.message_type.add(name="M")
        file.service.add(name="S").method.add(name="Do", input_type=f".{file.package}.M", output_type=f".{file.package}.M")
    tree = Tree(files, {file.name for file in files}, build_plugins(Toolchain.find(CACHE)))
    tree.generate()
    assert set(tree.errors) == {name, "user.proto"}
    assert "would end it" in tree.errors[name]
    assert {source.proto for source in tree.sources} == {"it's fine, really.proto"}


def test_texts_of_a_case_stay_within_their_quotes() -> None:
    """
    In exported programs.
    """
    text = 'a"+f()+"\n\\`ä'
    assert quoted(text) == r'"a\x22+f()+\x22\x0a\x5c`\xc3\xa4"'
    assert signalled({"step": "signal", "name": text}) == [f"signals.tell({quoted(text)})"]
    assert pairs([(text, "")]).startswith(f"metadata.Pairs({quoted(text)}, ")


@pytest.mark.parametrize("key", ["service", "method", "request", "response"])
def test_a_program_is_not_written_with_what_is_no_name(key: str) -> None:
    """
    Names stand in it without quotes.
    """
    call = {"service": "p.S", "method": "Do", "request": {"name": "p.M"}, "response": {"name": "p.M"}}
    assert not_identifier({"call": call}) == ""
    wrong = "Do() {}; func f"
    assert not_identifier({"call": call | {key: wrong if isinstance(call[key], str) else {"name": wrong}}}) == wrong
    assert not_identifier({"message": {"type": {"name": wrong}}}) == wrong
