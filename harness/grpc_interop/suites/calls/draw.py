"""Messages for a case: drawn from the samples of its method's types, with the capabilities that they need of a driver."""

from grpc_interop.core.case import Lane, Method, Send
from grpc_interop.values.samples import CYCLE, Sample, Values

LARGE = 1 << 20
"""1 MiB: many times every flow-control window, and below the 4 MiB that runtimes accept unless told otherwise."""


class Draw:
    """The messages of a case."""

    def __init__(self, method: Method, values: Values) -> None:
        self._method = method
        self._values = values
        self.requires: frozenset[str] = frozenset()  # grows with the messages

    def requests(self, count: int) -> Lane:
        """Return sends of the client's messages 1 to `count`: full samples of their type if they are few, else small samples."""
        return self._numbered(self._method.request, count)

    def responses(self, count: int) -> Lane:
        """Return sends of the server's messages 1 to `count`."""
        return self._numbered(self._method.response, count)

    def empty_request(self) -> Send:
        return self._send(self._values.empty(self._method.request))

    def empty_response(self) -> Send:
        return self._send(self._values.empty(self._method.response))

    def large_request(self) -> Send:
        return self._send(self._values.of_size(self._method.request, LARGE))

    def large_response(self) -> Send:
        return self._send(self._values.of_size(self._method.response, LARGE))

    def _numbered(self, type_name: str, count: int) -> Lane:
        sample = self._values.full if count <= CYCLE else self._values.small
        return tuple(self._send(sample(type_name, number)) for number in range(1, count + 1))

    def _send(self, sample: Sample) -> Send:
        self.requires |= sample.requires
        return Send(sample.data)
