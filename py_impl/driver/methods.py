"""The methods of all messages, whatever their fields are called."""

from typing import Any

from google.protobuf import empty_pb2

METHODS: Any = empty_pb2.Empty.__mro__[1]
"""The class that implements the methods of all messages. They are called through it, since a field may have a method's
name, and then hides the method."""
