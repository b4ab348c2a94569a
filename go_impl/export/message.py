"""A message that is read and written again, as a Go program."""

from collections.abc import Mapping
from typing import Any

from export.names import Names, comment, literal
from export.program import program

_BODY = """func main() {{
	message := &{type}{{}}
{read}
	if err != nil {{
		fmt.Println("refused:", err)
		return
	}}
{write}
}}
"""

_STDIN = """	input, err := io.ReadAll(os.Stdin)
	if err != nil {{
		log.Fatal(err)
	}}
"""
_READ = {
    "base64": "	err := proto.Unmarshal({data}, message){comment}",
    "json": _STDIN + "	err = protojson.Unmarshal(input, message)",
    "hex": _STDIN
    + """	data, err := hex.DecodeString(strings.TrimSpace(string(input)))
	if err != nil {{
		log.Fatal(err)
	}}
	err = proto.Unmarshal(data, message)""",
}
_WRITE_HEX = """	data, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(message)
	fmt.Printf("%x\\n", data)
	if err != nil {
		fmt.Println("refused:", err)
	}"""
_WRITE_JSON = """	text, err := protojson.Marshal(message)
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	fmt.Println(string(text))"""


def message_program(told: Mapping[str, Any], names: Names) -> str:
    """Return the text of main.go."""
    embedded = told["from"] == "base64"
    data, words = (literal(told["base64"]), comment(told)) if embedded else ("", "")
    body = _BODY.format(
        type=names.message(told["type"]),
        read=_READ[told["from"]].format(data=data, comment=words),
        write=_WRITE_JSON if told["to_json"] else _WRITE_HEX,
    )
    source = "" if embedded else ", as the other program wrote it to stdin"
    return program(f"Reads a message and writes it again{source}: go run .", body, names.imports)
