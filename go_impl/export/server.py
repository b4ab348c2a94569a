"""A server's script as a Go program."""

from collections.abc import Mapping
from typing import Any

from export.names import Names, camel_case, comment, literal, text_literal
from export.program import SHOW, indented, pairs, program, received, show_metadata
from export.signals import BEGIN_SERVER, SERVER, has_signals, signalled

_STREAMS_REQUESTS = ("client_streaming", "bidi_streaming")
_STREAMS_RESPONSES = ("server_streaming", "bidi_streaming")

_BODY = """{show}
type server struct {{
	{unimplemented}
}}

func (server) {handler} {{
{context}	ended, terminated, taken := false, false, false
	// receive prints the next message, or the end; it tells whether there was a message.
	receive := func() bool {{
		if ended {{
			return false
		}}
{receive}
		if err == nil {{
			show(message)
			return true
		}}
		ended = true
		if errors.Is(err, io.EOF) {{
			fmt.Println("end")
		}} else {{
			fmt.Println("terminated")
			terminated = true
		}}
		return false
	}}
	_, _, _, _ = receive, terminated, taken, ctx // not every script needs them

{steps}
}}

func main() {{
	port := "50051"
	if len(os.Args) > 1 {{
		port = os.Args[1]
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {{
		log.Fatal(err)
	}}
	fmt.Println("listening on", listener.Addr())
	grpcServer := grpc.NewServer()
	{register}(grpcServer, server{{}})
	log.Fatal(grpcServer.Serve(listener))
}}
"""

_NEXT = "\t\tmessage, err := stream.Recv()"
# gRPC takes the only request before the handler begins; a step that asks for another request waits for the end.
_REQUEST = """		message, err := request, error(nil)
		if taken {
			<-ctx.Done()
			err = ctx.Err()
		}
		taken = true"""


def server_program(call: Mapping[str, Any], names: Names) -> str:
    """Return the text of main.go."""
    service = camel_case(call["service"].rpartition(".")[2])
    shows = "request" in call["shows"]
    steps = list(BEGIN_SERVER) if has_signals(call) else []
    steps += ["md, _ := metadata.FromIncomingContext(ctx)", 'showMetadata("request", md)'] if shows else []
    body = _BODY.format(
        show=SHOW + (show_metadata(call) if shows else "") + (SERVER if has_signals(call) else ""),
        unimplemented=names.generated(call["file"], f"Unimplemented{service}Server"),
        register=names.generated(call["file"], f"Register{service}Server"),
        handler=_handler(call, names, service),
        context="" if call["kind"] == "unary" else "\tctx := stream.Context()\n",
        receive=_NEXT if call["kind"] in _STREAMS_REQUESTS else _REQUEST,
        steps=indented([*steps, *_lanes(call, names)]),
    )
    extra = ["google.golang.org/grpc/encoding/gzip"] if call["compression"] == "gzip" else []
    return program("The server. Start it first: go run . [PORT]", body, names.imports, extra)


def _handler(call: Mapping[str, Any], names: Names, service: str) -> str:
    method = camel_case(call["method"])
    request, response = names.message(call["request"]), names.message(call["response"])
    stream = names.generated(call["file"], f"{service}_{method}Server")
    if call["kind"] == "unary":
        return f"{method}(ctx context.Context, request *{request}) (*{response}, error)"
    if call["kind"] == "server_streaming":
        return f"{method}(request *{request}, stream {stream}) error"
    return f"{method}(stream {stream}) error"


def _lanes(call: Mapping[str, Any], names: Names) -> list[str]:
    """Return the lines of the lanes. The RPC ends when both are done."""
    lanes = [[line for step in lane for line in _step(step, call, names)] for lane in call["lanes"]]
    lines = []
    if len(lanes) > 1:
        lines += ["var lanes sync.WaitGroup"]
        for lane in lanes:
            lines += ["lanes.Go(func() {", *(f"\t{line}" for line in lane), "})"]
        lines += ["lanes.Wait()"]
    else:
        lines += lanes[0]
    (finish,) = (step for lane in call["lanes"] for step in lane if step["step"] == "finish")
    sent = next((step for lane in call["lanes"] for step in lane if step["step"] == "send"), None)
    return lines + _finish(finish, sent, call, names)


def _finish(finish: Mapping[str, Any], sent: Mapping[str, Any] | None, call: Mapping[str, Any], names: Names) -> list[str]:
    lines = []
    if finish["trailers"]:
        lines.append(_metadata("SetTrailer", finish["trailers"], call))
    error = "nil"
    if finish["details"]:
        lines.append(f"details := parse(&spb.Status{{}}, {literal(finish['details'])})")
        error = "status.ErrorProto(details)"
    elif finish["code"]:
        error = f"status.Error(codes.Code({finish['code']}), {text_literal(finish['message'])})"
    if call["kind"] in _STREAMS_RESPONSES:
        return [*lines, f"return {error}"]
    single = call["kind"] == "unary"
    if error != "nil" or sent is None:
        return [*lines, f"return nil, {error}" if single else f"return {error}"]
    response = f"parse(&{names.message(call['response'])}{{}}, {literal(sent['base64'])})"
    return [*lines, (f"return {response}, nil" if single else f"return stream.SendAndClose({response})") + comment(sent)]


def _metadata(what: str, told: list[tuple[str, str]], call: Mapping[str, Any]) -> str:
    if call["kind"] == "unary":
        return f"_ = grpc.{what}(ctx, {pairs(told)})"
    return f"{'' if what == 'SetTrailer' else '_ = '}stream.{what}({pairs(told)})"


def _step(step: Mapping[str, Any], call: Mapping[str, Any], names: Names) -> list[str]:
    kind = step["step"]
    if kind == "send":
        if call["kind"] not in _STREAMS_RESPONSES:
            return []  # sent with the finish
        message = f"parse(&{names.message(call['response'])}{{}}, {literal(step['base64'])})"
        return [f"_ = stream.Send({message}){comment(step)}"]
    if kind == "send_headers":
        return [_metadata("SendHeader", step["entries"], call)]
    if kind == "wait_for_termination":
        return ["<-ctx.Done()", "if !terminated {", '\tfmt.Println("terminated")', "}"]
    if kind in ("signal", "wait_for"):
        return signalled(step)
    return [] if kind == "finish" else received(step, "receive()")
