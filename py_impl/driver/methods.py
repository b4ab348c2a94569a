"""What every message can do, whatever its fields are called."""

from __future__ import annotations

from typing import Any

from google.protobuf import empty_pb2

METHODS: Any = empty_pb2.Empty.__mro__[1]
"""The class that implements all messages' methods. They are called through it, because a field may have the name of one
and then hides it."""
