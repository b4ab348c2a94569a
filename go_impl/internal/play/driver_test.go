package play_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	greeterv1 "grpc-interop/go_impl/gen/greeter/v1"
	"grpc-interop/go_impl/internal/contract/driverpb"
)

// callPlainly asks for ticks like any client, and returns the first tick.
func callPlainly(t *testing.T, address string) string {
	t.Helper()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	stream, err := greeterv1.NewGreeterClient(connection).GetStream(context.Background(), &greeterv1.StreamReqData{Data: "Ξ"})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return first.GetData()
}

// TestHelloTellsWhatRuns and the driver's capabilities.
func TestHelloTellsWhatRuns(t *testing.T) {
	hello := startDriver(t).hello
	if hello.Contract != 1 || hello.Versions["grpc"] != grpc.Version || !strings.HasPrefix(hello.Versions["language"], "go 1.") {
		t.Errorf("hello is %v", hello)
	}
	if !slices.Contains(hello.Capabilities, "lanes") || slices.Contains(hello.Capabilities, "compression:deflate") {
		t.Errorf("the capabilities are %v", hello.Capabilities)
	}
}

// TestRefusals say why, with the kind that fits, and the driver goes on.
func TestRefusals(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	call := func(resource uint64, script *driverpb.Play) *driverpb.Command {
		return &driverpb.Command{Resource: resource, Op: &driverpb.Command_Call{Call: script}}
	}
	for name, c := range map[string]struct {
		command *driverpb.Command
		want    driverpb.Error_Kind
		says    string
	}{
		"no operation": {&driverpb.Command{}, driverpb.Error_KIND_UNKNOWN_COMMAND, "version 1"},
		"capability": {
			&driverpb.Command{Requires: []string{"cancel", "telepathy"}, Op: &driverpb.Command_Dial{Dial: &driverpb.Dial{}}},
			driverpb.Error_KIND_UNSUPPORTED, "telepathy",
		},
		"channel": {call(77, script(unary)), driverpb.Error_KIND_UNKNOWN_REFERENCE, "77"},
		"method":  {call(theChannel, script("/greeter.v1.Greeter/Nope")), driverpb.Error_KIND_UNKNOWN_REFERENCE, "Nope"},
		"payload": {call(theChannel, script(unary, sendPayload(78))), driverpb.Error_KIND_UNKNOWN_REFERENCE, "78"},
		"payload of another type": {
			call(theChannel, script(unary, sendPayload(requests))), driverpb.Error_KIND_UNKNOWN_REFERENCE, "greeter.v1.StreamReqData",
		},
		"payload that is none": {
			&driverpb.Command{Op: &driverpb.Command_Payload{Payload: &driverpb.Payload{Type: "greeter.v1.HelloRequest", Binary: []byte{10}}}},
			driverpb.Error_KIND_UNREADABLE_PAYLOAD, "greeter.v1.HelloRequest",
		},
		"type": {
			&driverpb.Command{Op: &driverpb.Command_Transcode{Transcode: &driverpb.Transcode{Type: "no.Such"}}},
			driverpb.Error_KIND_UNREADABLE_PAYLOAD, "no.Such",
		},
		"close":          {&driverpb.Command{Op: &driverpb.Command_Close{Close: &driverpb.Close{Resource: 79}}}, driverpb.Error_KIND_UNKNOWN_REFERENCE, "79"},
		"service config": {&driverpb.Command{Op: &driverpb.Command_Dial{Dial: &driverpb.Dial{Options: &driverpb.Options{ServiceConfig: "{"}}}}, driverpb.Error_KIND_REFUSED, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.command.Id = p.next()
			refused := p.client.answer(c.command).GetError()
			if refused.GetKind() != c.want || !strings.Contains(refused.GetText(), c.says) {
				t.Errorf("answered %v; want %v with %q", refused, c.want, c.says)
			}
		})
	}
}

// TestOptions are those of the runtime: a limit refuses, gzip is understood and sent.
func TestOptions(t *testing.T) {
	p := startPair(t, &driverpb.Serve{Options: &driverpb.Options{MaxReceiveBytes: proto.Uint32(100), Compression: "gzip"}},
		&driverpb.Options{Compression: "gzip"})
	client, _ := p.play(script(unary, sendPayload(helloName), receiveToEnd), script(unary, receive, sendPayload(helloReply), ok))
	wantSeen(t, "client", client, []string{"Hello, World", "end"})

	p.client.payload(1000, &greeterv1.StreamReqData{Data: string(bytes.Repeat([]byte("abc"), 100))})
	client, server := p.play(script(talk, sendPayload(1000), receiveToEnd), script(talk, receiveToEnd, termination, ok))
	wantSeen(t, "server", server, []string{"terminated"})
	wantSeen(t, "client", client, []string{"end"})
	if client.Status.Code != 8 { // RESOURCE_EXHAUSTED
		t.Errorf("the client's status is %v", client.Status)
	}
}

// TestTranscode parses and writes a message; unknown fields survive, and are shown.
func TestTranscode(t *testing.T) {
	h := startDriver(t)
	transcode := func(id uint64, order *driverpb.Transcode) *driverpb.Event {
		order.Type = "greeter.v1.HelloRequest"
		return h.answer(&driverpb.Command{Id: id, Op: &driverpb.Command_Transcode{Transcode: order}})
	}
	binary := []byte("\n\x05World\x10\x01")
	got := transcode(1, &driverpb.Transcode{Data: binary, ToJson: true, ToView: true}).GetTranscoded()
	want := &driverpb.Message{Binary: binary, Json: `{"name":"World"}`, View: &driverpb.View{
		Fields:  []*driverpb.Field{{Number: 1, Values: []*driverpb.Value{{Kind: &driverpb.Value_Text{Text: []byte("World")}}}}},
		Unknown: []byte("\x10\x01"),
	}}
	if !proto.Equal(got, want) {
		t.Errorf("transcoded to %v; want %v", got, want)
	}
	if got := transcode(2, &driverpb.Transcode{ToJson: true, EmitZero: true}).GetTranscoded().GetJson(); got != `{"name":""}` {
		t.Errorf("with emit_zero the JSON is %s", got)
	}
	text := []byte(`{"name": "World", "more": 1}`)
	if got := transcode(3, &driverpb.Transcode{Data: text, FromJson: true}).GetError(); got.GetKind() != driverpb.Error_KIND_UNREADABLE_PAYLOAD {
		t.Errorf("an unknown field in JSON was not refused: %v", got)
	}
	if got := transcode(4, &driverpb.Transcode{Data: text, FromJson: true, IgnoreUnknown: true}).GetTranscoded(); string(got.GetBinary()) != "\n\x05World" {
		t.Errorf("ignoring unknown fields, JSON gave %v", got)
	}
}
