"""Deprecated: import from `grpc_interop.core.case`."""

from __future__ import annotations

import warnings
from typing import Any

from grpc_interop.core import case


def __getattr__(name: str) -> Any:
    """Return what has moved, with a DeprecationWarning. Raise AttributeError for what was never here."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"grpc_interop.case has moved: import {name} from grpc_interop.core.case", DeprecationWarning, stacklevel=2)
    return getattr(case, name)
