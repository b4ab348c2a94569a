"""A message that is read and written again, as a program."""

from collections.abc import Mapping
from typing import Any

from export.names import Names, comment, literal

_PROGRAM = '''"""Reads a message and writes it again{source}: python3 {name}.py"""

{standard}

from google.protobuf import json_format
from google.protobuf.message import DecodeError

{imports}

try:
    message = {read}
    print({write})
except (DecodeError, json_format.Error, ValueError, TypeError) as error:
    print("refused:", error)
'''

_READ = {
    "base64": "{type}.FromString({data}){comment}",
    "hex": "{type}.FromString(bytes.fromhex(sys.stdin.read()))",
    "json": "json_format.Parse(sys.stdin.read(), {type}())",
}


def message_program(told: Mapping[str, Any], side: str, names: Names) -> str:
    """Return the text of client.py or server.py."""
    embedded = told["from"] == "base64"
    data, words = (literal(told), comment(told)) if embedded else ("", "")
    read = _READ[told["from"]].format(type=names.message(told["type"]), data=data, comment=words)
    as_json = "json_format.MessageToJson(message, indent=None)"
    return _PROGRAM.format(
        source="" if embedded else ", as the other program wrote it to stdin",
        name=side,
        standard="import importlib\nimport sys",
        imports="\n".join(names.imports),
        read=read,
        write=as_json if told["to_json"] else "message.SerializePartialToString(deterministic=True).hex()",
    )
