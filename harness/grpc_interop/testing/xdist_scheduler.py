"""How pytest-xdist shares out tests: all cases of one pair to one worker."""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

_PAIR = re.compile(r"[\[-]([A-Za-z0-9-]+:[A-Za-z0-9-]+)\]$")


class PairScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed
    """Scopes tests by the pair at the end of their id; every other test is a scope of its own."""

    def _split_scope(self, nodeid: str) -> str:
        found = _PAIR.search(nodeid)
        return f"pair {found.group(1)}" if found else nodeid
