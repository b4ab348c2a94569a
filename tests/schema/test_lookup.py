"""Methods and messages that people name in their tests: found by the end of their names, built by field or as JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.lookup import build_message, find_method

SHOP = """
syntax = "proto3";
package shop.v1;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Item { string sku = 1; int64 price_cents = 2; }
enum State { STATE_UNKNOWN = 0; STATE_PAID = 1; }
message Order {
  string account = 1; State state = 2; repeated State states = 3; Item first = 4; repeated Item items = 5; bytes token = 6;
  map<string, Item> by_name = 7; map<bool, int32> flags = 8; map<int32, bytes> blobs = 9;
  google.protobuf.Timestamp at = 10; google.protobuf.Duration within = 11; google.protobuf.StringValue note = 12;
  google.protobuf.Any any = 13; double rate = 14; string from = 15; string json = 16; string type_name = 17; bool done = 18;
  message Line { int32 n = 1; }
}
message Other { message Line { int32 n = 1; } }
message Hides { string DESCRIPTOR = 1; string HasField = 2; }
service Shop { rpc Buy(Order) returns (Order); rpc Pay(Order) returns (Order); }
service Store { rpc Buy(Order) returns (Order); }
"""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    root = tmp_path_factory.mktemp("protos")
    (root / "shop.proto").write_text(SHOP)
    return Catalog.load([root], [], root / "cache")


FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "(empty)"),
    "text": ({"account": "ü"}, 'account: "ü"'),
    "an enum by name": ({"state": "STATE_PAID"}, "state: STATE_PAID"),
    "an enum by number": ({"state": 7}, "state: 7"),
    "several enums": ({"states": ["STATE_PAID", 0]}, "states: STATE_PAID states: STATE_UNKNOWN"),
    "a message": ({"first": {"sku": "a", "price_cents": 2**53 + 1}}, 'first { sku: "a" price_cents: 9007199254740993 }'),
    "a field by its JSON name": ({"first": {"priceCents": 1}}, "first { price_cents: 1 }"),
    "an empty message": ({"first": {}}, "first { }"),
    "messages": ({"items": ({"sku": "a"}, {})}, 'items { sku: "a" } items { }'),
    "bytes": ({"token": b"\xff\x00"}, 'token: "\\377\\000"'),
    "a map of messages": ({"by_name": {"x": {"sku": "a"}}}, 'by_name { key: "x" value { sku: "a" } }'),
    "a map by bool": ({"flags": {True: 1}}, "flags { key: true value: 1 }"),
    "a map of bytes": ({"blobs": {-1: b"\xff"}}, 'blobs { key: -1 value: "\\377" }'),
    "a time": ({"at": datetime(1970, 1, 1, 0, 0, 1, 500, tzinfo=UTC)}, "at { seconds: 1 nanos: 500000 }"),
    "a time as text": ({"at": "1970-01-01T00:00:01Z"}, "at { seconds: 1 }"),
    "a span of time": ({"within": timedelta(milliseconds=-1500)}, "within { seconds: -1 nanos: -500000000 }"),
    "a wrapped text": ({"note": "n"}, 'note { value: "n" }'),
    "infinity": ({"rate": float("inf")}, "rate: inf"),
    "fields called like words of Python and of ours": (
        {"from": "f", "json": "j", "type_name": "t"},
        'from: "f" json: "j" type_name: "t"',
    ),
    "None": ({"account": None, "first": None}, "(empty)"),
    "an Any": (
        {"any": {"@type": "type.googleapis.com/shop.v1.Item", "sku": "a"}},
        'any { type_url: "type.googleapis.com/shop.v1.Item" value: "\\n\\001a" }',
    ),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_message_by_its_fields(catalog: Catalog, name: str) -> None:
    fields, text = FIELDS[name]
    assert catalog.describe("shop.v1.Order", build_message(catalog, "Order", None, fields)) == text
    assert catalog.describe("shop.v1.Order", build_message(catalog, "shop.v1.Order", fields, {})) == text


def test_a_message_as_json(catalog: Catalog) -> None:
    assert build_message(catalog, "v1.Item", '{"sku": "a", "priceCents": "5"}', {}) == b"\n\x01a\x10\x05"


REFUSED: dict[str, tuple[str, str | Mapping[str, Any] | None, dict[str, Any], str]] = {
    "a typo": ("Order", None, {"acount": "x"}, "Order has no field 'acount'\n  did you mean 'account'?"),
    "a typo inside": ("Order", None, {"first": {"skuu": "x"}}, "Item has no field 'skuu'\n  did you mean 'sku'?"),
    "a typo in a list": ("Order", None, {"items": [{}, {"skuu": "x"}]}, "Item has no field 'skuu'"),
    "a typo in a map": ("Order", None, {"by_name": {"x": {"skuu": 1}}}, "Item has no field 'skuu'"),
    "a typo in JSON": ("Order", '{"acount": 1}', {}, "Order has no field 'acount'"),
    "nothing alike": ("Item", None, {"zzz": 1}, "Item has no field 'zzz'\n  it has sku, price_cents"),
    "no such type": ("Ordr", None, {}, "the protos have no message 'Ordr'\n  did you mean shop.v1.Order?"),
    "several types": (
        "Line",
        None,
        {},
        "several messages are called 'Line': shop.v1.Order.Line, shop.v1.Other.Line\n  give more of the name",
    ),
    "a wrong kind of value": ("Order", None, {"account": 1}, "no Order can be made of {'account': 1}: "),
    "a number that is too large": ("Item", None, {"price_cents": 2**63}, "no Item can be made of "),
    "no such enum value": ("Order", None, {"state": "STATE_PAYED"}, "no Order can be made of {'state': 'STATE_PAYED'}: "),
    "a list for one": ("Order", None, {"account": ["x"]}, "no Order can be made of "),
    "one for a list": ("Order", None, {"items": {"sku": "a"}}, "no Order can be made of "),
    "text for a message": ("Order", None, {"first": "x"}, "no Order can be made of "),
    "broken JSON": ("Order", "{", {}, "the JSON of a Order cannot be read: "),
    "JSON that is no object": ("Order", "[]", {}, "no Order can be made of []: "),
    "both ways": ("Order", "{}", {"account": "x"}, "Order is given as JSON and by its fields\n  give all of it in one of the two ways"),
    "fields called like methods": ("Hides", None, {"HasField": "x", "DESCRIPTOR": "y"}, "no Hides can be made of "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_in_words(catalog: Catalog, name: str) -> None:
    asked, given, fields, words = REFUSED[name]
    with pytest.raises(UsageError) as refusal:
        build_message(catalog, asked, given, fields)
    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize("path", ["/shop.v1.Shop/Pay", "shop.v1.Shop/Pay", "Shop/Pay", "v1.Shop/Pay", "Pay"])
def test_a_method_is_found_by_the_end_of_its_path(catalog: Catalog, path: str) -> None:
    assert find_method(catalog, path).path == "/shop.v1.Shop/Pay"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Shop/Payy", "the protos have no method 'Shop/Payy'\n  did you mean /shop.v1.Shop/Pay"),
        ("Shop.Pay", "the protos have no method 'Shop.Pay'\n  did you mean /shop.v1.Shop/Pay"),
        ("Buy", "several methods are called 'Buy': /shop.v1.Shop/Buy, /shop.v1.Store/Buy\n  give more of the name"),
        ("zzzzz", "the protos have no method 'zzzzz'\n  they have /shop.v1.Shop/Buy, /shop.v1.Shop/Pay, /shop.v1.Store/Buy"),
    ],
)
def test_a_method_that_is_not_there_comes_with_those_that_are(catalog: Catalog, path: str, words: str) -> None:
    with pytest.raises(UsageError) as refusal:
        find_method(catalog, path)
    assert str(refusal.value).startswith(words)
