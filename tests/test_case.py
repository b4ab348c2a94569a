"""Imports that earlier versions documented."""

import pytest

from grpc_interop.core import case


def test_what_has_moved_is_found_at_its_old_place_with_a_warning() -> None:
    """
    A user's test that imports from `grpc_interop.case` goes on working, and is told where to import from.
    """
    with pytest.warns(DeprecationWarning, match=r"import Receive from grpc_interop\.core\.case"):
        from grpc_interop.case import Receive
    assert Receive is case.Receive


def test_what_was_never_there_is_not_found() -> None:
    """
    A wrong name is refused as of any module.
    """
    with pytest.raises(ImportError):
        from grpc_interop.case import Nothing  # noqa: F401


def test_everything_is_found_at_once() -> None:
    """
    `from grpc_interop.case import *` goes on working.
    """
    names: dict[str, object] = {}
    with pytest.warns(DeprecationWarning, match="has moved"):
        exec("from grpc_interop.case import *", names)
    assert names["Case"] is case.Case and names["Receive"] is case.Receive
