"""Trees of 1, 2, 4 and 8 times as many services, to see how building, playing and memory grow."""

from pathlib import Path

TIMES = (1, 2, 4, 8)

SERVICES = 5
"""Services of the smallest tree, each in a file of its own with 4 RPCs and 3 messages."""

_SERVICE = """syntax = "proto3";
package grow.{mark}.s{number}.v1;
message Part {{ string name = 1; int64 number = 2; map<string, double> weights = 3; }}
message Order {{ string id = 1; repeated Part parts = 2; oneof kind {{ bool quick = 3; bytes raw = 4; }} }}
message Reply {{ Order order = 1; repeated int32 codes = 2; Reply inner = 3; }}
service Service {{
  rpc Unary(Order) returns (Reply);
  rpc Down(Order) returns (stream Reply);
  rpc Up(stream Order) returns (Reply);
  rpc Both(stream Order) returns (stream Reply);
}}
"""


def write(folder: Path, times: int, mark: str) -> None:
    """Write the tree with so many times the services. `mark` is part of its packages, so that no cache knows it."""
    for number in range(times * SERVICES):
        place = folder / "grow" / mark / f"s{number}" / "v1"
        place.mkdir(parents=True)
        (place / "service.proto").write_text(_SERVICE.format(mark=mark, number=number), encoding="utf-8")
