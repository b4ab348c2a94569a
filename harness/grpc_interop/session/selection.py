"""The selection of cases: pytest's own `-k` expressions, and the shard."""

import zlib
from collections.abc import Mapping

from grpc_interop.core.case import AnyCase
from grpc_interop.core.verdict import Pair
from grpc_interop.errors import UsageError


class Selection:
    """Decides by a case's id and pair. `shard` is (number from 1, number of shards)."""

    def __init__(self, keyword: str = "", shard: tuple[int, int] = (1, 1)) -> None:
        """Raise UsageError for a text that is not an expression."""
        self.keyword = keyword
        self._number, self._of = shard
        self._expression = None
        if not keyword:
            return
        # Not public, but the very thing that `pytest -k` uses: an expression must mean the same in both. A test holds it.
        # Imported only here, since pytest takes a quarter of the time in which a run starts.
        from _pytest.mark.expression import Expression

        try:
            self._expression = Expression.compile(keyword)
        except SyntaxError as error:
            raise UsageError(f"-k {keyword!r} is not an expression: {error}", 'such as -k "AllStream and ping_pong"') from None

    def takes(self, case: AnyCase, pair: Pair) -> bool:
        text = f"{case.id}[{pair}]"
        if self._expression is not None:
            names = [name.lower() for name in (text, pytest_id(case, pair))]
            if not self._expression.evaluate(lambda word, /, **_: any(word.lower() in name for name in names)):
                return False
        return self._of == 1 or zlib.crc32(text.encode()) % self._of == self._number - 1


def nothing_selected(keyword: str, refused: Mapping[str, str]) -> UsageError:
    """Return the error for a selection without cases. `refused` has the files that the harness had to leave out, each with the
    reason: the wanted cases may well be about one of them."""
    what = f"-k {keyword!r} selects" if keyword else "the options select"
    left_out = "".join(f"\n  {file} cannot be driven: {why}" for file, why in refused.items())
    return UsageError(f"{what} none of the cases", f"`interop list` without options shows them all{left_out}")


def pytest_id(case: AnyCase, pair: Pair) -> str:
    """Return the end of a test's id, within brackets that pytest adds: a person may type it after -k. (The id that `interop
    list` shows is a keyword of the test.)"""
    return f"{tested_together(case)}-{pair}"


def tested_together(case: AnyCase) -> str:
    """Return the subject of a test: a case, or all generated cases of a method."""
    return case.id.rpartition("/")[0] if case.generated else case.id


def read_seconds(text: str) -> float:
    """Return `90s`, `1.5m`, `1h` or `90` as seconds. Raise UsageError."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    if number.replace(".", "", 1).isdigit() and float(number):
        return float(number) * _UNITS[unit]
    raise UsageError(f"--budget {text!r} is not a valid duration", "such as --budget 60s or --budget 5m")


_UNITS = {"s": 1, "m": 60, "h": 3600}


def read_shard(text: str) -> tuple[int, int]:
    """Return `2/4` as (2, 4). Raise UsageError."""
    number, slash, of = text.partition("/")
    if slash and number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of):
        return int(number), int(of)
    raise UsageError(f"--shard {text!r} is not K/N with 1 <= K <= N", "such as --shard 2/4")
