"""Where a file and an element of it are, as the user sees them."""

from pathlib import Path

from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.locator import ElementLocator
from grpc_interop.schema.roots.root import Root

TEXT = """syntax = "proto3";
package bad;
message O {}
service S {
  // About it.
  rpc import(O) returns (O);
}
"""


def test_a_file_of_a_root_is_told_from_where_the_user_stands(tmp_path: Path) -> None:
    (tmp_path / "repo" / "proto" / "a").mkdir(parents=True)
    (tmp_path / "repo" / "proto" / "a" / "bad.proto").write_text(TEXT)
    roots = [Root(tmp_path / "repo" / "proto")]
    assert ElementLocator(roots, None, tmp_path / "repo").locate("a/bad.proto", "bad.S/import") == ("proto/a/bad.proto", 6)
    elsewhere = ElementLocator(roots, None, tmp_path / "other")
    assert elsewhere.locate("a/bad.proto", "bad.S/import") == (str(tmp_path / "repo/proto/a/bad.proto"), 6)
    assert elsewhere.locate("a/bad.proto", "") == (str(tmp_path / "repo/proto/a/bad.proto"), 0)
    assert elsewhere.locate("a/bad.proto", "bad.S/none") == (str(tmp_path / "repo/proto/a/bad.proto"), 0)


def test_a_prefix_of_a_root_is_no_part_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "bad.proto").write_text(TEXT)
    assert ElementLocator([Root(tmp_path, "acme")], None, tmp_path).locate("acme/bad.proto", "bad.O") == ("bad.proto", 3)


def test_of_an_image_the_lines_are_known_at_most(tmp_path: Path) -> None:
    (tmp_path / "proto").mkdir()
    (tmp_path / "proto" / "bad.proto").write_text(TEXT)
    image = tmp_path / "image.binpb"
    image.write_bytes(Catalog.load([Root(tmp_path / "proto")], [], tmp_path / "cache").descriptor_set())
    assert ElementLocator([Root(tmp_path / "proto")], image, tmp_path).locate("bad.proto", "bad.O") == ("", 0)
