"""Facts about a case, read off its scripts."""

from pathlib import Path

import pytest

from grpc_interop.core.case import Case, Kind, MessageCase
from grpc_interop.core.tags import TAGS, tags_of
from grpc_interop.schema.catalog import Catalog
from grpc_interop.suites.calls import SHAPES
from grpc_interop.suites.calls.suite import case
from grpc_interop.values.samples import Values

PROTO = Path(__file__).parents[2] / "proto"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog.load([PROTO], [], tmp_path_factory.mktemp("cache"))


def of_shape(catalog: Catalog, kind: Kind, name: str) -> Case:
    method = next(method for method in catalog.methods() if method.kind is kind)
    return case(method, next(shape for shape in SHAPES[kind] if shape.name == name), Values(catalog))


@pytest.mark.parametrize(
    ("kind", "name", "tags"),
    [
        (Kind.UNARY, "one", set()),
        (Kind.UNARY, "empty_message", {"empty_message"}),
        (Kind.UNARY, "large_message", {"large_message"}),
        (Kind.UNARY, "metadata", {"request_metadata", "headers", "trailers"}),
        (Kind.UNARY, "metadata_on_error", {"request_metadata", "headers", "trailers", "error", "headers_without_message"}),
        (Kind.UNARY, "early_error", {"error"}),
        (Kind.UNARY, "status_details", {"error", "details"}),
        (Kind.CLIENT_STREAMING, "early_ok", {"unread_at_end"}),
        (Kind.CLIENT_STREAMING, "one_at_a_time_10", {"signals"}),
        (Kind.CLIENT_STREAMING, "cancel_after", {"signals", "cancel", "error"}),
        (Kind.BIDI_STREAMING, "both_lanes_10", {"lanes"}),
        (Kind.BIDI_STREAMING, "error_after_3_of_10", {"unread_at_end", "error"}),
        (Kind.BIDI_STREAMING, "deadline_in_time", {"deadline"}),
    ],
)
def test_a_case_has_the_tags_that_its_scripts_show(catalog: Catalog, kind: Kind, name: str, tags: set[str]) -> None:
    assert tags_of(of_shape(catalog, kind, name)) == {kind, *tags}
    assert {kind, *tags} <= TAGS


def test_messages_are_tagged_with_the_form_in_which_they_travel() -> None:
    assert tags_of(MessageCase("messages", "values", "a.M")) == {"binary"}
    assert tags_of(MessageCase("messages", "json", "a.M", json=True)) == {"json"}
