"""A client's script as a Go program."""

from collections.abc import Mapping
from typing import Any

from export.names import Names, camel_case, comment, literal
from export.program import SHOW, indented, pairs, program, received, show_metadata
from export.signals import BEGIN_CLIENT, CLIENT, has_signals, signalled

_STREAMS_REQUESTS = ("client_streaming", "bidi_streaming")
_STREAMS_RESPONSES = ("server_streaming", "bidi_streaming")

_BODY = """{show}
func main() {{
	target := "127.0.0.1:50051"
	if len(os.Args) > 1 {{
		target = os.Args[1]
	}}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {{
		log.Fatal(err)
	}}
	client := {client}(connection)
	ctx, cancel := context.{context}
	defer cancel()
{metadata}	var header, trailer metadata.MD
	var ended error // how the RPC ended; io.EOF for OK
{next}
	// receive prints the next message, or the end; it tells whether there was a message.
	receive := func() bool {{
		if ended != nil {{
			return false
		}}
		message, err := next()
		if err == nil {{
			show(message)
			return true
		}}
		ended = err
		fmt.Println("end")
		return false
	}}

{steps}
	if ended == io.EOF {{
		ended = nil
	}}
	fmt.Printf("status %s %q\\n", {code}, status.Convert(ended).Message())
{shows}}}
"""

# Makes a call with a single response look like a stream: it yields the response, then the end.
_UNARY = """	type answer struct {{
		message *{response}
		err     error
	}}
	answered := make(chan answer, 1)
	var last *answer
	next := func() (*{response}, error) {{
		if last != nil {{
			return nil, io.EOF
		}}
		got := <-answered
		last = &got
		return got.message, got.err
	}}"""

# UPPER_CASE, as every language but Go writes it.
_CODES = (
    '[]string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", '
    '"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", '
    '"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}[status.Code(ended)]'
)


def client_program(call: Mapping[str, Any], names: Names) -> str:
    """Return the text of main.go."""
    client = names.generated(call["file"], f"New{camel_case(call['service'].rpartition('.')[2])}Client")
    steps = list(BEGIN_CLIENT) if has_signals(call) else []
    steps += _begin(call, names) if call["kind"] in _STREAMS_REQUESTS else []
    steps += ["begun := make(chan struct{})"] if _waits(call) else []
    steps += _lanes(call, names)
    timeout = call["timeout_seconds"]
    body = _BODY.format(
        show=SHOW + (show_metadata(call) if {"initial", "trailers"} & set(call["shows"]) else "") + (CLIENT if has_signals(call) else ""),
        client=client,
        context="WithCancel(context.Background())"
        if timeout is None
        else f"WithTimeout(context.Background(), {round(timeout * 1e6)}*time.Microsecond)",
        metadata=f"\tctx = metadata.NewOutgoingContext(ctx, {pairs(call['metadata'])})\n" if call["metadata"] else "",
        next=_next(call, names),
        steps=indented(steps),
        code=_CODES,
        shows="".join(f"{line}\n" for line in _shows(call)),
    )
    extra = ["google.golang.org/grpc/encoding/gzip"] if call["compression"] == "gzip" else []
    return program("The client. Run it beside the server: go run . [HOST:PORT]", body, names.imports, extra)


def _next(call: Mapping[str, Any], names: Names) -> str:
    """Return the function that returns the next message, or the error that ends the RPC."""
    response = names.message(call["response"])
    return (_UNARY if call["kind"] == "unary" else "\tvar next func() (*{response}, error)").format(response=response)


def _options(call: Mapping[str, Any]) -> str:
    options = ["grpc.Header(&header)", "grpc.Trailer(&trailer)"] if call["kind"] != "bidi_streaming" else []
    options += ['grpc.UseCompressor("gzip")'] if call["compression"] else []
    return "".join(f", {option}" for option in options)


def _begin(call: Mapping[str, Any], names: Names) -> list[str]:
    """Return lines that begin a call whose requests are a stream."""
    lines = [f"stream, err := client.{camel_case(call['method'])}(ctx{_options(call)})", "if err != nil {", "\tlog.Fatal(err)", "}"]
    if call["kind"] == "bidi_streaming":
        return [*lines, "next = stream.Recv"]
    answer = ["if answered {", "\treturn nil, io.EOF", "}", "answered = true", "return stream.CloseAndRecv()"]
    function = ["next = func() (*{}, error) {{".format(names.message(call["response"])), *(f"\t{line}" for line in answer), "}"]
    return [*lines, "answered := false", *function]


def _waits(call: Mapping[str, Any]) -> bool:
    """Return whether one lane must wait for the other to begin the call."""
    return len(call["lanes"]) > 1 and call["kind"] not in _STREAMS_REQUESTS


def _lanes(call: Mapping[str, Any], names: Names) -> list[str]:
    lanes = []
    for lane in call["lanes"]:
        lines = [line for step in lane for line in _step(step, call, names)]
        sends = any(step["step"] == "send" for step in lane)
        lanes.append(["<-begun", *lines] if _waits(call) and not sends else lines)
    if len(lanes) == 1:
        return lanes[0]
    lines = ["var lanes sync.WaitGroup"]
    for lane in lanes:
        lines += ["lanes.Go(func() {", *(f"\t{line}" for line in lane), "})"]
    return [*lines, "lanes.Wait()"]


def _step(step: Mapping[str, Any], call: Mapping[str, Any], names: Names) -> list[str]:
    kind = step["step"]
    if kind == "send":
        return _send(step, call, f"parse(&{names.message(call['request'])}{{}}, {literal(step['base64'])})")
    if kind == "half_close":
        return ["_ = stream.CloseSend()"]
    if kind == "cancel":
        return ["cancel()"]
    if kind == "receive_headers":
        return ["got := <-answered", "answered <- got"] if call["kind"] == "unary" else ["_, _ = stream.Header()"]
    return signalled(step) if kind in ("signal", "wait_for") else received(step, "receive()")


def _send(step: Mapping[str, Any], call: Mapping[str, Any], message: str) -> list[str]:
    begun = ["close(begun)"] if _waits(call) else []
    if call["kind"] in _STREAMS_REQUESTS:
        return [f"_ = stream.Send({message}){comment(step)}"]
    method = camel_case(call["method"])
    if call["kind"] == "unary":
        do = [f"message, err := client.{method}(ctx, request{_options(call)})", "answered <- answer{message, err}"]
        return [f"request := {message}{comment(step)}", "go func() {", *(f"\t{line}" for line in do), "}()", *begun]
    call_it = f"stream, err := client.{method}(ctx, {message}{_options(call)}){comment(step)}"
    return [call_it, "if err != nil {", "\tlog.Fatal(err)", "}", "next = stream.Recv", *begun]


def _shows(call: Mapping[str, Any]) -> list[str]:
    lines = []
    if call["kind"] == "bidi_streaming":
        lines += ["\theader, _ = stream.Header()", "\ttrailer = stream.Trailer()"]
    if "initial" in call["shows"]:
        lines.append('\tshowMetadata("initial", header)')
    if "trailers" in call["shows"]:
        lines.append('\tshowMetadata("trailers", trailer)')
    if "details" in call["shows"]:
        lines.append('\tfmt.Printf("details %x\\n", strings.Join(trailer["grpc-status-details-bin"], ""))')
    return [*lines, "\t_, _ = header, trailer"]
