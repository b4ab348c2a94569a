"""The names that the gate admits in untrusted descriptors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2 as pb
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from grpc_interop.schema import gate
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.compiler import compile_tree

TREES = Path(__file__).parents[1] / "trees"

CODE = "x'+str(print())+'"
BREAK = "x\nimport os"
IN_NO_NAME = [
    CODE,
    BREAK,
    'x" + f() + "',
    "x`y",
    "x\\y",
    "x\ry",
    "x\0y",
    "x\x1b[2Jy",
    "x y",
    "x;y",
    "x-y",
    "x\u202ey",
    "::warning::x",
    "x(y",
    "1x",
    "ä",
]
FILES = [
    "../x.proto",
    "/x.proto",
    "a/../../x.proto",
    "./x.proto",
    "a//x.proto",
    "a/./x.proto",
    "",
    "a/",
    "..",
    ".",
    "a\\x.proto",
    "x'.proto",
]
FILES += ['x".proto', "x`.proto", "x\ny.proto", "x\r.proto", "x\0.proto", "x\x7f.proto", "x\x9b.proto", "x\u2028y.proto", "x\u202ey.proto"]
FILES += ["os;f();import x.proto", "os,antigravity.proto", "os#.proto", "$(x).proto", "{x}.proto", "x\u00a0y.proto", "a:b.proto", "*.proto"]
FILES += ["l" * 256 + ".proto", "l/" * 2000 + "x.proto"]

WITH_NAMES = (
    "package",
    "message_type.name",
    "message_type.field.name",
    "message_type.field.type_name",
    "message_type.field.extendee",
    "message_type.oneof_decl.name",
    "message_type.nested_type.name",
    "message_type.nested_type.field.name",
    "message_type.enum_type.name",
    "message_type.enum_type.value.name",
    "message_type.extension.name",
    "message_type.extension.extendee",
    "message_type.extension_range.options.declaration.full_name",
    "message_type.extension_range.options.declaration.type",
    "enum_type.name",
    "enum_type.value.name",
    "extension.name",
    "extension.type_name",
    "service.name",
    "service.method.name",
    "service.method.input_type",
    "service.method.output_type",
    "syntax",
)
WITH_FILES = ("name", "dependency", "option_dependency")
WITH_FOREIGN_NAMES = tuple(f"options.{name}" for name in gate.RULES["FileOptions"])
WITH_TEXT = (
    "message_type.reserved_name",
    "message_type.field.json_name",
    "enum_type.reserved_name",
    "message_type.enum_type.reserved_name",
)


def with_text(path: str, text: str, field_type: Any = pb.FieldDescriptorProto.TYPE_STRING) -> bytes:
    """A set of one file in which that text stands there, and in which all that must have a name has one."""
    file = pb.FileDescriptorProto(name="x.proto")
    place: Any = file
    *steps, last = path.split(".")
    for step in steps:
        place = getattr(place, step)
        if step in ("extension_range", "declaration"):
            place = place.add()
        elif step != "options":
            place = place.add(name="x")
        if isinstance(place, pb.FieldDescriptorProto):
            place.type = field_type
    value = getattr(place, last)
    if isinstance(value, str):
        setattr(place, last, text)
    else:
        value.append(text)
    return pb.FileDescriptorSet(file=[file]).SerializeToString()


def fault(content: bytes) -> str:
    with pytest.raises(gate.NotAdmitted) as raised:
        gate.read(content)
    return str(raised.value)


@pytest.mark.parametrize("path", WITH_NAMES)
@pytest.mark.parametrize("text", IN_NO_NAME)
def test_a_name_is_an_identifier(path: str, text: str) -> None:
    """
    As protoc would have it: generators write names into programs as they are.
    """
    words = fault(with_text(path, text))
    assert "\n" not in words and words.isprintable() and words.isascii()
    gate.read(with_text(path, "proto3" if path == "syntax" else "Good_1"))


@pytest.mark.parametrize("path", WITH_FILES)
@pytest.mark.parametrize("name", FILES)
def test_a_file_stays_where_it_is_put(path: str, name: str) -> None:
    """
    Files are written to their names, and generators write these into programs.
    """
    assert "file" in fault(with_text(path, name))
    gate.read(with_text(path, "ü b/c (1)/d=1/ह िन्दी/漢😀/@-.+x&y%41~^!.proto"))


@pytest.mark.parametrize("path", WITH_FOREIGN_NAMES)
@pytest.mark.parametrize("text", [CODE, BREAK, "A { static A() {} }", "a;\nimport b", "a b", 'a"', "a(b)"])
def test_names_for_other_languages_are_copied_by_their_generators(path: str, text: str) -> None:
    """
    `namespace X {` is what C# makes of csharp_namespace, whatever X is.
    """
    fault(with_text(path, text))
    for good in ("github.com/a-b/c~1/v2;cpb", "../pb", "a.b.c", "A\\B", "A::B", ""):
        gate.read(with_text(path, good))


@pytest.mark.parametrize("path", WITH_TEXT)
@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\u2028b"])
def test_texts_that_are_quoted_have_no_controls(path: str, text: str) -> None:
    """
    Every writer quotes them, and may rely on one line.
    """
    fault(with_text(path, text))
    gate.read(with_text(path, 'it\'s "ä" `\\` @type'))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("TYPE_STRING", ["", 'any "thing"\n'], []),
        ("TYPE_BYTES", [r"\"\000\'", "a b"], ['"', "a\nb", "\\", "\\\n", "ä"]),
        ("TYPE_INT32", ["-1", "0"], ["1]; message X {}", "", "one", "1\n"]),
        ("TYPE_DOUBLE", ["-inf", "nan", "1e+300"], ["1 2", "inf;"]),
        ("TYPE_BOOL", ["true"], ["true]"]),
        ("TYPE_ENUM", ["RED"], ["RED]", "RE D"]),
    ],
)
def test_a_default_is_of_its_type(kind: str, good: list[str], bad: list[str]) -> None:
    """
    Numbers and names of values stand in sources without quotes.
    """
    number = pb.FieldDescriptorProto.Type.Value(kind)
    for text in good:
        gate.read(with_text("message_type.field.default_value", text, number))
    for text in bad:
        fault(with_text("message_type.field.default_value", text, number))


def test_options_that_protoc_would_yet_interpret() -> None:
    """
    protoc sets with them what the gate looks at, after it has looked.
    """
    file = pb.FileDescriptorProto(name="x.proto")
    part = pb.UninterpretedOption.NamePart(name_part="java_package", is_extension=False)
    file.options.uninterpreted_option.add(name=[part], string_value=b"a; b")
    assert "interpreted" in fault(pb.FileDescriptorSet(file=[file]).SerializeToString())


def test_what_has_no_name() -> None:
    file = pb.FileDescriptorProto(name="x.proto")
    file.message_type.add()
    assert fault(pb.FileDescriptorSet(file=[file]).SerializeToString()) == "holds a message without a name"


def test_every_text_of_a_descriptor_has_its_rule() -> None:
    """
    A field that a later protobuf adds to descriptor.proto needs one. Comments and uninterpreted options need none.
    """
    without = ("SourceCodeInfo", "GeneratedCodeInfo", "UninterpretedOption")
    texts = {
        (message.full_name.removeprefix("google.protobuf."), field.name)
        for message in _messages(list(pb.DESCRIPTOR.message_types_by_name.values()))
        for field in message.fields
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING and not message.full_name.removeprefix("google.protobuf.").startswith(without)
    }
    assert texts == {(message, field) for message, fields in gate.RULES.items() for field in fields}


def _messages(messages: list[Descriptor]) -> Iterator[Descriptor]:
    for message in messages:
        yield message
        yield from _messages(list(message.nested_types))


@pytest.mark.parametrize("root", [TREES / "nasty", TREES / "opentelemetry" / "v1.5.0", Path(__file__).parents[2] / "proto"])
def test_what_protoc_made_is_let_in(root: Path, tmp_path: Path) -> None:
    """
    Odd but legal trees, all of them.
    """
    _, content = compile_tree([root], [], tmp_path)
    assert gate.read(content) == pb.FileDescriptorSet.FromString(content)


def test_files_of_ones_own_are_renamed_to_be_sent(tmp_path: Path) -> None:
    """
    On a disk a name may hold a quote or a line break; its text for others says another one, and everything else stays.
    """
    for name, body in {
        "it's/n\nl.proto": "message A {}",
        "it_s/n_l.proto": "package taken;",
        'q".proto': 'import "it\'s/n\\nl.proto"; option java_package = "a b"; message B { A a = 1; }',
        "a b.proto": 'import "q\\".proto"; message C { B b = 1; }',
    }.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(f'syntax = "proto3"; {body}')
    catalog = Catalog.load([tmp_path / "root"], [], tmp_path / "cache")
    sent = gate.read(catalog.sent_set(catalog.files))
    assert {file.name: list(file.dependency) for file in sent.file} == {
        "it_s/n_l.proto": [],
        "it_s/n_l1.proto": [],
        "q_.proto": ["it_s/n_l1.proto"],
        "a b.proto": ["q_.proto"],
    }
    assert set(Catalog([file.name for file in sent.file], sent.SerializeToString()).messages()) == {"A", "B", "C"}


def test_comments_reach_no_generator() -> None:
    """
    Generators copy comments into programs.
    """
    file = pb.FileDescriptorProto(name="x.proto")
    file.source_code_info.location.add(leading_comments='"""\nimport os\n*/')
    catalog = Catalog(["x.proto"], pb.FileDescriptorSet(file=[file]).SerializeToString())
    assert b"import os" not in catalog.descriptor_set()
