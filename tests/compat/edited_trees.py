"""Trees of a proto or two, one of them edited in one place, for what buf says of that."""

from pathlib import Path

from grpc_interop.schema.catalog import Catalog

BASE = """
syntax = "proto2";
package p;
option go_package = "a/b";
message M {
  optional int64 total = 1;
  optional string name = 2;
  optional string gone = 3;
  optional E e = 4;
  message In { optional int32 a = 1; optional string name = 2; message Deep {} }
  repeated In in = 5;
  oneof pick { int32 p1 = 6; int32 p2 = 7; }
  map<string, In> by_name = 8;
  required bool must = 9;
  repeated int32 numbers = 10 [packed = true];
  optional E with_default = 11 [default = E_ONE];
  optional group Old = 12 {}
  reserved 50;
  extensions 100 to 200;
}
extend M { optional int32 ext = 100; optional In.Unused unused = 101; }
message In { message Unused {} }
enum E { E_ZERO = 0; E_ONE = 1; E_TWO = 2; }
service S { rpc Say(M) returns (M); rpc Stop(M) returns (stream M); }
service T { rpc Say(M) returns (M); }
"""

EDITS = {
    "p.M.total": ("int64 total", "int32 total"),
    "p.M.name": ("optional string name = 2;\n  optional string gone", "optional string title = 2;\n  optional string gone"),
    "p.M.gone": ("optional string gone = 3;", ""),
    "p.M.In.name": ("optional string name = 2; message Deep", "optional bytes name = 2; message Deep"),
    "p.M.In.Deep": ("message Deep {}", ""),
    "p.M.by_name": ("map<string, In>", "map<int32, In>"),
    "p.M.must": ("required bool must", "optional bool must"),
    "p.M.pick": ("oneof pick { int32 p1 = 6; int32 p2 = 7; }", ""),
    "p.M": ("reserved 50;", ""),
    "[p.ext]": ("optional int32 ext", "optional string ext"),
    "[p.unused]": ("optional In.Unused unused = 101;", ""),
    "p.E.E_ONE": ("E_ONE = 1; E_TWO", "E_UNO = 1; E_TWO"),
    "p.E.E_TWO": ("E_TWO = 2;", ""),
    "p.S/Say": ("rpc Say(M) returns (M); rpc Stop", "rpc Say(stream M) returns (M); rpc Stop"),
    "p.S/Stop": ("rpc Stop(M) returns (stream M);", ""),
    "p.T": ("service T { rpc Say(M) returns (M); }", ""),
    "p/p.proto": ('go_package = "a/b"', 'go_package = "a/c"'),
}
"""By the element that buf is to speak of."""


class Trees:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str, *texts: str) -> Catalog:
        """A tree of one file in each of `p`, `q`..."""
        root = self._folder / name
        for package, text in zip("pq", texts, strict=False):
            (root / package).mkdir(parents=True)
            (root / package / f"{package}.proto").write_text(text)
        return Catalog.load([root], [], self._folder / "cache")


def edited(element: str) -> str:
    before, after = EDITS[element]
    assert BASE.count(before) == 1
    return BASE.replace(before, after).replace("with_default = 11 [default = E_ONE]", f"with_default = 11 [default = {_default(element)}]")


def _default(element: str) -> str:
    return "E_UNO" if element == "p.E.E_ONE" else "E_ONE"
