"""Proto trees as the harness reads them: what they hold, what is remembered, and what is said when they are wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from grpc_interop.core.case import Kind, MessageCase, Method
from grpc_interop.schema import compiler
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.roots.roots import ProtoError
from grpc_interop.wire.shapes import Shapes

GREETER = Path(__file__).parents[2] / "proto"


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'syntax = "proto3";\n{text}\n')
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def no_protoc(monkeypatch: pytest.MonkeyPatch):
    """From its call on, a run of protoc fails the test."""

    def forbid() -> None:
        def refuse(*_: object) -> bytes:
            raise AssertionError("protoc was run")

        monkeypatch.setattr(compiler, "_protoc", refuse)

    return forbid


class TestContent:
    def test_methods_have_kind_and_types(self, cache: Path) -> None:
        """
        The quick-start service has one method of each kind, in the order of its file.
        """
        methods = list(Catalog.load([GREETER], [], cache).methods())
        assert [method.kind for method in methods] == list(Kind)
        assert methods[0] == Method("greeter.v1.Greeter", "SayHello", Kind.UNARY, "greeter.v1.HelloRequest", "greeter.v1.HelloReply")
        assert methods[0].path == "/greeter.v1.Greeter/SayHello"

    def test_imports_are_not_driven(self, root: Path, tmp_path: Path, cache: Path) -> None:
        """
        What lies in an include folder is there to be imported: neither its files nor its RPCs are the tree's own.
        """
        write(tmp_path / "inc", "dep.proto", "message Dep {} service DepService { rpc Go(Dep) returns (Dep); }")
        write(root, "a.proto", 'import "dep.proto"; service A { rpc Go(Dep) returns (Dep); }')
        catalog = Catalog.load([root], [tmp_path / "inc"], cache)
        assert catalog.files == ("a.proto",)
        assert [method.service for method in catalog.methods()] == ["A"]
        assert list(catalog.messages()) == []
        assert catalog.message("Dep").full_name == "Dep"

    def test_messages_are_listed_with_nested_ones_and_without_map_entries(self, root: Path, cache: Path) -> None:
        """
        Nested types count, the entries that maps are made of do not.
        """
        write(root, "a.proto", "message Outer { message Inner {} map<string, Inner> inners = 1; }")
        assert list(Catalog.load([root], [], cache).messages()) == ["Outer", "Outer.Inner"]

    def test_hidden_folders_are_left_out(self, root: Path, cache: Path) -> None:
        """
        Protos below `.venv`, `.git` and the like are nobody's tree.
        """
        write(root, "a.proto", "message A {}")
        write(root, ".venv/b.proto", "this is no proto")
        assert Catalog.load([root], [], cache).files == ("a.proto",)

    def test_descriptor_set_of_some_files_holds_their_imports_first(self, root: Path, cache: Path) -> None:
        """
        The part that travels with a replay is complete and in order.
        """
        write(root, "b.proto", "message B {}")
        write(root, "a.proto", 'import "b.proto"; message A { B b = 1; }')
        write(root, "c.proto", "message C {}")
        catalog = Catalog.load([root], [], cache)
        part = descriptor_pb2.FileDescriptorSet.FromString(catalog.descriptor_set(["a.proto"]))
        assert [file.name for file in part.file] == ["b.proto", "a.proto"]
        assert Catalog(["a.proto"], catalog.descriptor_set(["a.proto"])).message("A")

    def test_describe_is_text_format(self, cache: Path) -> None:
        """
        Messages are shown as people write them; what cannot be read is shown as bytes.
        """
        catalog = Catalog.load([GREETER], [], cache)
        assert catalog.describe("greeter.v1.HelloRequest", b"\n\x06W\xc3\xb6rld") == 'name: "Wörld"'
        assert catalog.describe("greeter.v1.HelloRequest", b"") == "(empty)"
        assert catalog.describe("greeter.v1.HelloRequest", b"\xff") == "(not a greeter.v1.HelloRequest) b'\\xff'"

    def test_canonical_undoes_another_order_of_fields(self, root: Path, cache: Path) -> None:
        """
        Languages may write fields in any order; in canonical form two equal messages are equal.
        """
        write(root, "a.proto", "message A { int32 one = 1; int32 two = 2; }")
        catalog = Catalog.load([root], [], cache)
        assert catalog.canonical("A", b"\x10\x02\x08\x01") == b"\x08\x01\x10\x02"
        assert catalog.canonical("A", b"\xff") == b"\xff"


class TestCache:
    def test_equal_content_needs_no_protoc(self, root: Path, tmp_path: Path, cache: Path, no_protoc) -> None:
        """
        The same files elsewhere are known already.
        """
        write(root, "a.proto", "message A {}")
        first = Catalog.load([root], [], cache)
        no_protoc()
        root.rename(tmp_path / "moved")
        assert Catalog.load([tmp_path / "moved"], [], cache).descriptor_set() == first.descriptor_set()

    @pytest.mark.parametrize("part", [0, 2], ids=["empty", "half"])
    @pytest.mark.parametrize("kind", ["json", "binpb"])
    def test_what_a_full_disk_has_cut_short_is_made_anew(self, root: Path, cache: Path, kind: str, part: int) -> None:
        """
        Half a descriptor set may well be one with fewer files.
        """
        write(root, "a.proto", "message A {}")
        write(root, "b.proto", "message B {}")
        first = Catalog.load([root], [], cache).descriptor_set()
        (kept,) = cache.glob(f"protos/*.{kind}")
        size = kept.stat().st_size
        os.truncate(kept, part and size // part)
        assert Catalog.load([root], [], cache).descriptor_set() == first
        assert kept.stat().st_size == size

    def test_an_edit_is_seen(self, root: Path, cache: Path) -> None:
        """
        A changed file is compiled again.
        """
        write(root, "a.proto", "message A {}")
        Catalog.load([root], [], cache)
        write(root, "a.proto", "message B {}")
        assert list(Catalog.load([root], [], cache).messages()) == ["B"]

    def test_an_edit_of_an_import_is_seen(self, root: Path, tmp_path: Path, cache: Path) -> None:
        """
        So is a changed file outside the roots, also when another one is now found before it.
        """
        write(root, "a.proto", 'import "dep.proto"; message A { Dep dep = 1; }')
        write(tmp_path / "late", "dep.proto", "message Dep { int32 old = 1; }")
        (tmp_path / "early").mkdir()
        includes = [tmp_path / "early", tmp_path / "late"]
        assert "old" in Catalog.load([root], includes, cache).message("Dep").fields_by_name
        write(tmp_path / "early", "dep.proto", "message Dep { int32 new = 1; }")
        assert "new" in Catalog.load([root], includes, cache).message("Dep").fields_by_name


class TestImage:
    def test_imports_of_a_protoc_image_are_not_driven(self, root: Path, cache: Path, tmp_path: Path) -> None:
        """
        What comes with protoc and is imported is no part of the tree.
        """
        write(root, "a.proto", 'import "google/protobuf/empty.proto"; message A { google.protobuf.Empty e = 1; }')
        image = tmp_path / "image.binpb"
        image.write_bytes(Catalog.load([root], [], cache).descriptor_set())
        assert Catalog.from_image(image).files == ("a.proto",)

    def test_imports_that_buf_marks_are_not_driven(self, root: Path, tmp_path: Path) -> None:
        """
        An image that buf wrote says itself which files are imports.
        """
        write(root, "a.proto", 'import "google/protobuf/empty.proto"; message A { google.protobuf.Empty e = 1; }')
        image = tmp_path / "image.binpb"
        buf = Path(sys.executable).with_name("buf")
        subprocess.run([buf, "build", "--as-file-descriptor-set=false", "-o", image, root], check=True)
        assert Catalog.from_image(image).files == ("a.proto",)

    @pytest.mark.parametrize("content", [b"", b"\xff\xff", b"{}"])
    def test_what_is_no_image_is_refused(self, tmp_path: Path, content: bytes) -> None:
        """
        The error says so, and how to make one.
        """
        image = tmp_path / "image.binpb"
        image.write_bytes(content)
        with pytest.raises(ProtoError, match="buf build"):
            Catalog.from_image(image)

    def test_a_missing_image_is_refused(self, tmp_path: Path) -> None:
        """
        The error names the file.
        """
        with pytest.raises(ProtoError, match=r"nowhere\.binpb: No such file"):
            Catalog.from_image(tmp_path / "nowhere.binpb")


class TestErrors:
    def test_protocs_words_come_with_file_and_line(self, root: Path, cache: Path) -> None:
        """
        A proto that does not compile is shown in protoc's own words.
        """
        write(root, "sub/a.proto", "message A { Missing m = 1; }")
        with pytest.raises(ProtoError, match=r'sub/a\.proto:2:13: "Missing" is not defined') as raised:
            Catalog.load([root], [], cache)
        assert raised.value.exit_status == 2

    def test_a_missing_import_says_where_it_was_looked_for(self, root: Path, cache: Path) -> None:
        """
        The error names the import, the folders, and the option that adds one.
        """
        write(root, "a.proto", 'import "other/b.proto";')
        with pytest.raises(ProtoError, match=r"--include") as raised:
            Catalog.load([root], [], cache)
        assert "other/b.proto: looked for in" in raised.value.remedy
        assert str(root) in raised.value.remedy

    def test_a_file_name_with_a_line_break(self, root: Path, cache: Path) -> None:
        """
        It is compiled like any other.
        """
        write(root, "n\nl.proto", "message A {}")
        assert Catalog.load([root], [], cache).files == ("n\nl.proto",)

    def test_a_file_name_that_is_no_text_is_refused(self, root: Path, cache: Path) -> None:
        """
        A descriptor cannot hold it. The error shows it in characters that any terminal has.
        """
        root.mkdir()
        Path(os.fsdecode(os.fsencode(root) + b"/b\xffd.proto")).touch()
        with pytest.raises(ProtoError, match=r"b\\xffd\.proto: the name is not UTF-8"):
            Catalog.load([root], [], cache)

    def test_a_root_that_does_not_exist(self, tmp_path: Path, cache: Path) -> None:
        with pytest.raises(ProtoError, match="nowhere: no such folder"):
            Catalog.load([tmp_path / "nowhere"], [], cache)

    def test_an_empty_root(self, tmp_path: Path, cache: Path) -> None:
        with pytest.raises(ProtoError, match=r"no \.proto file"):
            Catalog.load([tmp_path], [], cache)

    def test_an_include_that_does_not_exist(self, root: Path, tmp_path: Path, cache: Path) -> None:
        write(root, "a.proto", "message A {}")
        with pytest.raises(ProtoError, match="nowhere: no such folder to import"):
            Catalog.load([root], [tmp_path / "nowhere"], cache)

    def test_one_name_in_two_roots(self, root: Path, tmp_path: Path, cache: Path) -> None:
        write(root, "a.proto", "message A {}")
        write(tmp_path / "other", "a.proto", "message A { int32 a = 1; }")
        with pytest.raises(ProtoError, match=r"a\.proto is in two roots, with different content: .*root/a\.proto and .*other/a\.proto"):
            Catalog.load([root, tmp_path / "other"], [], cache)

    def test_copies_in_two_roots_are_one_file(self, root: Path, tmp_path: Path, cache: Path) -> None:
        """As where a client and a server have each got the same proto."""
        for folder in (root, tmp_path / "other"):
            write(folder, "a.proto", "message A {}")
        assert list(Catalog.load([root, tmp_path / "other"], [], cache).files) == ["a.proto"]

    def test_a_root_within_a_root(self, root: Path, cache: Path) -> None:
        write(root, "sub/a.proto", "message A {}")
        with pytest.raises(ProtoError, match="lies within"):
            Catalog.load([root, root / "sub"], [], cache)

    def test_a_root_named_twice_is_one_root(self, root: Path, cache: Path) -> None:
        """
        However it is written the second time.
        """
        write(root, "a.proto", "message A {}")
        assert Catalog.load([root, root / ".." / root.name], [], cache).files == ("a.proto",)


def test_the_files_of_a_message_case_hold_what_its_anys_hold(tmp_path: Path) -> None:
    """
    A message that travels alone takes the types along that its Anys name.
    """
    catalog = Catalog.load([Path(__file__).parents[1] / "suites" / "values"], [], tmp_path)
    held = b"\x0a\x2c\x0a\x2atype.googleapis.com/values.old.Groups"
    plain, holding = (MessageCase("messages", "json", "values.Anys", examples=(data,)) for data in (b"", held))
    assert catalog.files_of(plain) == ["values/known.proto"]
    assert catalog.files_of(holding) == ["values/known.proto", "values/old.proto"]


OLDER = """syntax = "proto2"; package google.protobuf; option java_package = "copy";
message FileOptions { optional bool php_generic_services = 42; } message FieldOptions { extensions 1000 to max; }"""


@pytest.mark.parametrize("place", ["root", "include"])
def test_of_what_runtimes_bring_along_no_copy_is_looked_at(tmp_path: Path, cache: Path, place: str) -> None:
    """
    They use their own, so that a copy would tell of fields that nobody has.
    """
    root, include = tmp_path / "root", tmp_path / "include"
    include.mkdir()
    write(root, "a.proto", 'import "google/protobuf/descriptor.proto"; message Holder { google.protobuf.FileOptions held = 1; }')
    (tmp_path / place / "google" / "protobuf").mkdir(parents=True)
    (tmp_path / place / "google" / "protobuf" / "descriptor.proto").write_text(OLDER)
    for _ in ("compiled", "from the cache"):
        catalog = Catalog.load([root], [include], cache)
        held = catalog.message("Holder").fields_by_name["held"].message_type
        assert "java_package" in held.fields_by_name
        assert "php_generic_services" not in held.fields_by_name
        assert "a.proto" in catalog.files


def test_a_copy_that_has_more_is_taken(tmp_path: Path, cache: Path) -> None:
    """
    A tree that compiles is never refused for its copy; also from the cache.
    """
    copy = 'syntax = "proto3"; package google.protobuf; message Empty {} message More { int32 a = 1; }'
    (tmp_path / "google" / "protobuf").mkdir(parents=True)
    (tmp_path / "google" / "protobuf" / "empty.proto").write_text(copy)
    write(tmp_path, "a.proto", 'import "google/protobuf/empty.proto"; message Holder { google.protobuf.More held = 1; }')
    for _ in ("compiled", "from the cache"):
        assert Catalog.load([tmp_path], [], cache).message("google.protobuf.More") is not None


class TestWhatOurOwnProtobufRefuses:
    def test_a_json_name_that_a_oneof_has(self, root: Path, cache: Path) -> None:
        """
        It refuses the file for that; read with another name of the oneof, all JSON names are the true ones.
        """
        write(
            root,
            "a.proto",
            'message M { oneof o { int32 a = 1 [json_name = "o"]; int32 b = 2; } optional int32 c = 3; int32 d = 4 [json_name = "_c"]; }',
        )
        catalog = Catalog.load([root], [], cache)
        assert catalog.refused == {}
        shape = Shapes(catalog).of("M")
        assert [(field.json_name, field.oneof, field.ambiguous) for field in shape.ordered] == [
            ("o", "o", False),
            ("b", "o", False),
            ("c", "", False),
            ("_c", "", False),
        ]

    def test_a_json_name_that_another_field_has(self, root: Path, cache: Path) -> None:
        """
        The field of that JSON name goes before the other one of that name, as runtimes have it that take such a file.
        """
        write(root, "a.proto", 'message M { int32 a = 1 [json_name = "b"]; int32 b = 2 [json_name = "a"]; }')
        shape = Shapes(Catalog.load([root], [], cache)).of("M")
        assert {name: field.number for name, field in shape.json_names.items()} == {"a": 2, "b": 1}
        assert [field.ambiguous for field in shape.ordered] == [True, True]

    def test_nothing_is_left_of_what_it_had_begun_to_read(self, root: Path, cache: Path) -> None:
        """
        Of two files that extend a message by one number the second is refused, with what imports it, and the message has the
        first one's extension alone.
        """
        two = 'syntax = "proto2"; package t;'
        write(root, "a.proto", "").write_text(f"{two} message M {{ extensions 100 to 200; }}")
        write(root, "b.proto", "").write_text(f'{two} import "a.proto"; extend M {{ optional int32 x = 100; }}')
        write(root, "c.proto", "").write_text(f'{two} import "a.proto"; extend M {{ optional int32 y = 100; optional int32 z = 101; }}')
        write(root, "d.proto", "").write_text(f'{two} import "c.proto"; message D {{ }}')
        catalog = Catalog.load([root], [], cache)
        assert {name: why.partition(": ")[2] or why for name, why in catalog.refused.items()} == {
            "c.proto": "duplicate extension entry",
            "d.proto": "imports c.proto, which it refuses",
        }
        assert [one.full_name for one in catalog.extensions(catalog.message("t.M"))] == ["t.x"]

    def test_a_catalog_without_a_file_is_without_its_importers(self, root: Path, cache: Path) -> None:
        write(root, "a.proto", "message A {}")
        write(root, "b.proto", 'import "a.proto"; message B { A a = 1; }')
        write(root, "c.proto", "message C {}")
        catalog = Catalog.load([root], [], cache)
        less = catalog.without({"a.proto": "somebody else refuses it"})
        assert (less.files, [*less.messages()]) == (("c.proto",), ["C"])
        assert less.refused == {"a.proto": "somebody else refuses it", "b.proto": "imports a.proto, which it refuses"}
        assert less.declares_alike(catalog, "b.proto")
        assert less.without(less.refused) is less
