"""Deprecated: import from `grpc_interop.core.case`."""

import warnings
from typing import Any

from grpc_interop.core import case

__all__ = [name for name in vars(case) if not name.startswith("_")]


def __getattr__(name: str) -> Any:
    """Return the object of this name from its new module, with a DeprecationWarning. Raise AttributeError for other names."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"grpc_interop.case has moved: import {name} from grpc_interop.core.case", DeprecationWarning, stacklevel=2)
    return getattr(case, name)
