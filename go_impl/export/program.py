"""The parts that the programs of both sides share."""

import base64
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from buildtool import packages

MODULE_NAME = "reproduction"

SHOW = """// show prints a message: its bytes, and what they say.
func show(m proto.Message) {
	data, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(m)
	fmt.Printf("received %x  # %v %v\\n", data, m, errors.Join(err))
}

// parse makes a message of its bytes.
func parse[M proto.Message](m M, data []byte) M {
	if err := proto.Unmarshal(data, m); err != nil {
		log.Fatal(err)
	}
	return m
}
"""

_SHOW_METADATA = """
// showMetadata prints the entries of the case.
func showMetadata(what string, md metadata.MD) {{
	for key, values := range md {{
		for _, value := range values {{
			if strings.HasPrefix(key, "x-interop-"){own} {{
				fmt.Printf("%s %s %q\\n", what, key, value)
			}}
		}}
	}}
}}
"""

_STANDARD = ("bufio", "context", "encoding/hex", "errors", "fmt", "io", "log", "net", "os", "strings", "sync", "time")
_GRPC = {
    "grpc": "google.golang.org/grpc",
    "codes": "google.golang.org/grpc/codes",
    "insecure": "google.golang.org/grpc/credentials/insecure",
    "metadata": "google.golang.org/grpc/metadata",
    "status": "google.golang.org/grpc/status",
    "proto": "google.golang.org/protobuf/proto",
    "protojson": "google.golang.org/protobuf/encoding/protojson",
    "spb": "google.golang.org/genproto/googleapis/rpc/status",
}


def program(comment: str, body: str, imports: Iterable[str], extra: Iterable[str] = ()) -> str:
    """Return a whole main.go, with the imports that its body uses, as Go demands."""
    used = [f'"{path}"' for path in _STANDARD if re.search(rf"\b{path.rpartition('/')[2]}\.", body)]
    foreign = [f'{name} "{path}"' for name, path in _GRPC.items() if re.search(rf"(?<![\w.]){name}\.", body)]
    foreign += [f'_ "{path}"' for path in extra]
    lines = "\n".join(f"\t{line}" if line else "" for line in (*used, "", *foreign, "", *imports))
    return f"// {comment}\npackage main\n\nimport (\n{lines}\n)\n\n{body}"


def show_metadata(call: Mapping[str, Any]) -> str:
    """Return the function showMetadata, which prints the harness' own keys and the keys that the call names."""
    from export.names import quoted

    own = (f" || key == {quoted(key)}" for key in call.get("report_metadata", ()))
    return _SHOW_METADATA.format(own="".join(own))


def indented(lines: Iterable[str], depth: int = 1) -> str:
    """Return lines of code, indented."""
    return "\n".join("\t" * depth + line for line in lines)


def pairs(told: Iterable[tuple[str, str]]) -> str:
    """Return metadata as grpc-go makes it of keys and values."""
    from export.names import literal, quoted

    words = (f"{quoted(key)}, string({literal(value)})" for key, value in told)
    return f"metadata.Pairs({', '.join(words)})"


def received(step: Mapping[str, Any], receive: str) -> list[str]:
    """Return the lines of the two steps that receive; `receive` says whether there was a message."""
    return [receive] if step["step"] == "receive" else [f"for {receive} {{", "}"]


def module_files(go_mod: Path) -> dict[str, str]:
    """go.mod and go.sum, with the versions with which the driver is built; its tools are not needed."""
    text = go_mod.read_text().replace(f"module {packages.MODULE_PATH}", f"module {MODULE_NAME}")
    return {"go.mod": re.sub(r"(?ms)^tool \(.*?^\)\n+", "", text), "go.sum": go_mod.with_suffix(".sum").read_text()}


def moved(content: bytes) -> str:
    """Return a generated file that imports packages of this program's module in place of the driver's."""
    pattern = rf'(?m)^(\t\w+ "){re.escape(packages.MODULE_PATH)}/(?={packages.GEN}/)'
    return re.sub(pattern, rf"\g<1>{MODULE_NAME}/", content.decode())


def decoded(value: str) -> bytes:
    """Return bytes that the request holds as base64."""
    return base64.b64decode(value)
