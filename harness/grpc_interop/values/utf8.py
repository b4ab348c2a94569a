"""Which strings must be UTF-8."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor as Field


def must_be_utf8(field: Field) -> bool:
    """Whether a string field takes nothing else: in proto2, and where a feature of it or its file says so, it takes any
    bytes."""
    # What the options say of features is gone once protobuf has resolved it, and it shows the result in no other way.
    resolved: Any = field
    return bool(resolved._GetFeatures().utf8_validation == descriptor_pb2.FeatureSet.VERIFY)
