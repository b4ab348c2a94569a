"""Put the bundled protos and implementations into a wheel, below `grpc_interop/_bundled`.

An installed harness has no checkout beside it, and reads them there. An editable install must not contain them: it
reads the checkout, and copies would become stale unnoticed. `force-include` in pyproject.toml cannot tell the two
apart; a hook can.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLED = ("proto", "py_impl", "go_impl")


class BundleImplementations(BuildHookInterface):  # type: ignore[type-arg]  # takes a builder's config; this needs none
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders. `version` is "standard" for a wheel that is shipped, and "editable" for an editable install."""
        if version == "standard":
            build_data["force_include"] |= {folder: f"grpc_interop/_bundled/{folder}" for folder in BUNDLED}
