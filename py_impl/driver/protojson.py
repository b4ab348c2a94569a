"""Messages written as ProtoJSON, by whichever protobuf a service runs with."""

import functools
import inspect
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from driver.methods import METHODS

_CURRENT = "always_print_fields_with_no_presence" in inspect.signature(json_format.MessageToJson).parameters
"""Whether this protobuf has the option: 5.26 and later versions have it."""


def written(message: Message, emit_zero: bool) -> str:
    """Return the message as ProtoJSON; with `emit_zero` also its fields without presence that are zero. Raise the
    errors of json_format."""
    if _CURRENT:
        return json_format.MessageToJson(message, indent=None, always_print_fields_with_no_presence=emit_zero)
    if not emit_zero:
        return json_format.MessageToJson(message, indent=None)
    text: str = _printer_of_4_25()(including_default_value_fields=True).ToJsonString(message, None, False, True)
    return text


@functools.cache
def _printer_of_4_25() -> Any:
    """Return a printer that works like that of 5.26. The printer of 4.25 also prints the defaults of unset proto2
    fields, which have presence."""
    printer: Any = vars(json_format)["_Printer"]

    class Printer(printer):  # type: ignore[misc]
        def _RegularMessageToJsonObject(self, message: Message, js: dict[str, Any]) -> dict[str, Any]:
            written: dict[str, Any] = super()._RegularMessageToJsonObject(message, js)
            for field in message.DESCRIPTOR.fields:
                if field.has_presence and not METHODS.HasField(message, field.name):
                    written.pop(field.json_name, None)
            return written

    return Printer
