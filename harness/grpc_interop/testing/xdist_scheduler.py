"""How pytest-xdist shares out tests: all cases of a pair go to the same worker."""

import re

from xdist.scheduler import LoadScopeScheduling

_PAIR = re.compile(r"[\[-]([A-Za-z0-9-]+:[A-Za-z0-9-]+)\]$")


class PairScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed
    """Scopes tests by the pair at the end of their id. Every other test is a scope by itself."""

    def _split_scope(self, nodeid: str) -> str:
        pair = _PAIR.search(nodeid)
        return f"pair {pair.group(1)}" if pair else nodeid
