package play_test

import (
	"slices"
	"testing"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

// TestPlaysEveryKind plays the simplest conversation of each of gRPC's four kinds.
func TestPlaysEveryKind(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	for _, c := range []struct {
		name                   string
		client, server         *driverpb.Play
		wantClient, wantServer []string
	}{
		{
			"unary",
			script(unary, sendPayload(helloName), receiveToEnd),
			script(unary, receive, sendPayload(helloReply), ok),
			[]string{"Hello, World", "end"}, []string{"World"},
		},
		{
			"server streaming",
			script(download, sendPayload(requests), receiveToEnd),
			script(download, receive, sendPayload(replies+1), sendPayload(replies+2), ok),
			[]string{"1", "2", "end"}, []string{"0"},
		},
		{
			"client streaming",
			script(upload, sendPayload(requests), sendPayload(requests+1), halfClose, receiveToEnd),
			script(upload, receiveToEnd, sendPayload(replies+9), ok),
			[]string{"9", "end"}, []string{"0", "1", "end"},
		},
		{
			"bidi streaming",
			script(talk, sendPayload(requests), receive, sendPayload(requests+1), halfClose, receiveToEnd),
			script(talk, receive, sendPayload(replies), receiveToEnd, sendPayload(replies+5), ok),
			[]string{"0", "5", "end"}, []string{"0", "1", "end"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, server := p.play(c.client, c.server)
			wantSeen(t, "client", client, c.wantClient)
			wantSeen(t, "server", server, c.wantServer)
			wantStatus(t, client, &driverpb.Status{})
			if !client.Arrived || !server.Arrived || client.Aborted || server.Aborted {
				t.Errorf("arrived, aborted: client %v %v, server %v %v", client.Arrived, client.Aborted, server.Arrived, server.Aborted)
			}
			if client.ElapsedNs == 0 || server.ElapsedNs == 0 {
				t.Error("a play took no time")
			}
		})
	}
}

// TestCarriesStatusDetailsAndTrailers ends each kind with an error in full, before anything was sent.
func TestCarriesStatusDetailsAndTrailers(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	packed, err := anypb.New(durationpb.New(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	details, err := proto.Marshal(&spb.Status{Code: int32(codes.NotFound), Message: "no Ξ", Details: []*anypb.Any{packed}})
	if err != nil {
		t.Fatal(err)
	}
	want := &driverpb.Status{
		Code: int32(codes.NotFound), Message: "no Ξ", Details: details,
		Trailers: []*driverpb.Entry{entry("x-interop-a", "1"), entry("x-interop-a", "2"), entry("x-interop-b-bin", "\x00\xff")},
	}
	for _, method := range []string{unary, download, upload, talk} {
		begin := []*driverpb.Step{halfClose, receiveToEnd}
		switch method {
		case unary:
			begin = []*driverpb.Step{sendPayload(helloName), receiveToEnd}
		case download:
			begin = []*driverpb.Step{sendPayload(requests), receiveToEnd}
		}
		client, _ := p.play(script(method, begin...), script(method, finish(want)))
		wantSeen(t, "client", client, []string{"end"})
		wantStatus(t, client, want)
	}
}

// TestCarriesMetadata both ways; keys that do not begin with x-interop- are not reported, nor is the case id.
func TestCarriesMetadata(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	initial := []*driverpb.Entry{entry("x-interop-head", "h")}
	for _, method := range []string{unary, talk} {
		clientSteps := []*driverpb.Step{headers, halfClose, receiveToEnd}
		serverSteps := []*driverpb.Step{sendHeaders(append(initial, entry("other", "o"))...), receiveToEnd,
			finish(&driverpb.Status{Trailers: []*driverpb.Entry{entry("x-interop-tail", "t")}})}
		if method == unary {
			clientSteps = []*driverpb.Step{sendPayload(helloName), headers, receiveToEnd}
			serverSteps = slices.Insert(serverSteps, 2, sendPayload(helloReply))
			serverSteps[1] = receive
		}
		call := script(method, clientSteps...)
		call.Metadata = []*driverpb.Entry{entry("x-interop-b", "2"), entry("x-interop-a", "1"), entry("other", "o"), entry("x-interop-b", "1")}
		client, server := p.play(call, script(method, serverSteps...))
		want := []*driverpb.Entry{entry("x-interop-a", "1"), entry("x-interop-b", "2"), entry("x-interop-b", "1")}
		if !slices.EqualFunc(server.Request, want, func(a, b *driverpb.Entry) bool { return proto.Equal(a, b) }) {
			t.Errorf("%s: the request metadata is %v; want %v", method, server.Request, want)
		}
		if len(client.Initial) != 1 || !proto.Equal(client.Initial[0], initial[0]) {
			t.Errorf("%s: the initial metadata is %v; want %v", method, client.Initial, initial)
		}
		wantStatus(t, client, &driverpb.Status{Trailers: []*driverpb.Entry{entry("x-interop-tail", "t")}})
	}
}

// TestReportsOtherMetadata that the play names, wherever it was sent, and nothing else.
func TestReportsOtherMetadata(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	sent := []*driverpb.Entry{entry("authorization", "a"), entry("tenant-bin", "\xff"), entry("unasked", "u")}
	want := sent[:2]
	call := script(talk, headers, halfClose, receiveToEnd)
	call.Metadata = sent
	serve := script(talk, sendHeaders(sent...), receiveToEnd, finish(&driverpb.Status{Code: 9, Trailers: sent}))
	for _, side := range []*driverpb.Play{call, serve} {
		side.ReportMetadata = []string{"authorization", "tenant-bin"}
	}
	client, server := p.play(call, serve)
	for what, got := range map[string][]*driverpb.Entry{
		"request": server.Request, "initial": client.Initial, "trailers": client.Status.Trailers,
	} {
		if !slices.EqualFunc(got, want, func(a, b *driverpb.Entry) bool { return proto.Equal(a, b) }) {
			t.Errorf("the %s metadata is %v; want %v", what, got, want)
		}
	}
}

// TestDeadline ends both sides, and the server knew how much time was left.
func TestDeadline(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	const timeout = 300_000 // microseconds
	call := script(talk, sendPayload(requests), receive, receiveToEnd)
	call.TimeoutUs = proto.Uint64(timeout)
	client, server := p.play(call, script(talk, receive, sendPayload(replies), receiveToEnd, termination, ok))
	wantSeen(t, "client", client, []string{"0", "end"})
	wantSeen(t, "server", server, []string{"0", "terminated"})
	if code := codes.Code(client.Status.Code); code != codes.DeadlineExceeded {
		t.Errorf("the client's status is %v", code)
	}
	if server.RemainingUs == nil || *server.RemainingUs > timeout*101/100+2000 {
		t.Errorf("the server had %v µs left of %d", server.RemainingUs, timeout)
	}
}

// TestCancel reaches the server wherever it waits, in every kind.
func TestCancel(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	for name, c := range map[string]struct {
		client, server *driverpb.Play
		wantServer     [][]string
	}{
		"unary, server waits": {
			script(unary, sendPayload(helloName), waitFor("go"), cancel, receiveToEnd),
			script(unary, receive, tell("go"), receive, receive, sendPayload(helloReply), ok), [][]string{{"World", "terminated"}},
		},
		"unary, from the other lane": {
			lanes(unary, []*driverpb.Step{sendPayload(helloName), receiveToEnd}, []*driverpb.Step{waitFor("go"), cancel}),
			script(unary, receive, tell("go"), termination, ok), [][]string{{"World", "terminated"}},
		},
		"server streaming": {
			script(download, sendPayload(requests), waitFor("go"), cancel),
			script(download, receive, tell("go"), termination, termination, ok), [][]string{{"0", "terminated"}},
		},
		"client streaming, server receives": {
			script(upload, sendPayload(requests), waitFor("go"), cancel),
			script(upload, receive, tell("go"), receiveToEnd, sendPayload(replies), ok), [][]string{{"0", "terminated"}},
		},
		"bidi, two lanes": {
			script(talk, sendPayload(requests), waitFor("go"), cancel, receiveToEnd),
			lanes(talk, []*driverpb.Step{receive, tell("go"), receiveToEnd}, []*driverpb.Step{waitFor("never"), sendPayload(replies), termination, ok}),
			[][]string{{"0", "terminated"}, {"terminated"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			id := p.next()
			p.expect(id, c.server)
			p.call(id, c.client)
			p.server.awaitSignal(id, "go")
			p.client.signal(id, "go")
			client, server := p.client.transcript(id), p.server.transcript(id)
			if code := codes.Code(client.Status.Code); code != codes.Canceled {
				t.Errorf("the client's status is %v", code)
			}
			wantSeen(t, "server", server, c.wantServer...)
		})
	}
}

// TestSignalsAreCounted takes each signal once, and a signal that comes before its step is kept.
func TestSignalsAreCounted(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	id := p.next()
	p.expect(id, script(talk, waitFor("a"), waitFor("a"), sendPayload(replies), waitFor("b"), ok))
	p.server.signal(id, "b")
	p.server.signal(id, "a")
	p.call(id, script(talk, receiveToEnd))
	p.server.signal(id, "a")
	wantSeen(t, "client", p.client.transcript(id), []string{"0", "end"})
}

// TestWaitForEndsWithTheRPC also where the client reads nothing meanwhile; messages that had arrived are received later.
func TestWaitForEndsWithTheRPC(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	client, _ := p.play(
		script(talk, waitFor("never"), receiveToEnd),
		script(talk, sendPayload(replies), sendPayload(replies+1), ok))
	wantSeen(t, "client", client, []string{"0", "1", "end"})

	client, _ = p.play(
		script(unary, sendPayload(helloName), waitFor("never"), receive, waitFor("never"), receiveToEnd),
		script(unary, receive, sendPayload(helloReply), ok))
	wantSeen(t, "client", client, []string{"Hello, World", "end"})

	client, _ = p.play(
		lanes(upload, []*driverpb.Step{sendPayload(requests), waitFor("never"), halfClose}, []*driverpb.Step{receiveToEnd}),
		script(upload, receive, sendPayload(replies), ok))
	wantSeen(t, "client", client, []string{}, []string{"0", "end"})
}

// TestLanesRunAtTheSameTime has both sides send and receive in lanes of their own; finish waits for the other lane.
func TestLanesRunAtTheSameTime(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	client, server := p.play(
		lanes(talk, []*driverpb.Step{sendPayload(requests), waitFor("never"), halfClose}, []*driverpb.Step{receive, receive, cancel}),
		lanes(talk, []*driverpb.Step{receiveToEnd}, []*driverpb.Step{sendPayload(replies), sendPayload(replies + 1), ok}))
	wantSeen(t, "client", client, []string{}, []string{"0", "1"})
	wantSeen(t, "server", server, []string{"0", "terminated"}, []string{})
}

// TestCallsArriveBeforeTheirScript parks a call, whether it goes on or has ended when its script comes.
func TestCallsArriveBeforeTheirScript(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	id := p.next()
	p.call(id, script(talk, sendPayload(requests), halfClose, receiveToEnd))
	time.Sleep(20 * time.Millisecond) // so that the call is there first; the outcome is the same if it is not
	p.expect(id, script(talk, receiveToEnd, sendPayload(replies), ok))
	wantSeen(t, "client", p.client.transcript(id), []string{"0", "end"})
	wantSeen(t, "server", p.server.transcript(id), []string{"0", "end"})

	id = p.next()
	call := script(talk, sendPayload(requests), receiveToEnd)
	call.TimeoutUs = proto.Uint64(50_000)
	p.call(id, call)
	p.client.transcript(id)
	time.Sleep(50 * time.Millisecond) // the server's own deadline has passed, too
	p.expect(id, script(talk, receive, receiveToEnd, sendPayload(replies), termination, ok))
	server := p.server.transcript(id)
	wantSeen(t, "server", server, []string{"terminated"})
	if !server.Arrived {
		t.Error("the parked call counts as not arrived")
	}
}

// TestCallersWithoutACaseID get the oldest script for any caller, else the application, else UNIMPLEMENTED.
func TestCallersWithoutACaseID(t *testing.T) {
	p := startPair(t, &driverpb.Serve{Application: true}, nil)
	for _, reply := range []uint64{replies + 1, replies + 2} {
		anyone := script(download, receive, sendPayload(reply), ok)
		anyone.AnyCaller = true
		p.expect(p.next(), anyone)
	}
	// An answer proves that the scripts before it are registered.
	if e := p.server.answer(&driverpb.Command{Id: p.next()}); e.GetError().GetKind() != driverpb.Error_KIND_UNKNOWN_COMMAND {
		t.Fatalf("a command without an operation was answered by %v", e)
	}
	for _, want := range []string{"1", "2", "Ξ 1/10"} {
		if got := callPlainly(t, p.address); got[:len(want)] != want {
			t.Errorf("the caller got %q; want %q", got, want)
		}
	}
}

// TestAbortFreezes a play on both sides, arrived or not; the RPC goes on until the second Abort.
func TestAbortFreezes(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	for _, method := range []string{talk, unary} {
		id := p.next()
		if method == talk {
			p.expect(id, script(talk, receive, tell("in"), receive, ok))
			p.call(id, script(talk, sendPayload(requests), receiveToEnd))
		} else {
			p.expect(id, script(unary, receive, tell("in"), waitFor("never"), ok))
			p.call(id, script(unary, sendPayload(helloName), receiveToEnd))
		}
		p.server.awaitSignal(id, "in")
		p.client.abort(id, false)
		client := p.client.transcript(id)
		wantSeen(t, "client", client, []string{})
		if !client.Aborted || client.Status != nil {
			t.Errorf("the frozen client reported aborted %v, status %v", client.Aborted, client.Status)
		}
		p.server.abort(id, true) // has arrived: does nothing
		p.server.abort(id, false)
		server := p.server.transcript(id)
		if !server.Aborted || !server.Arrived || len(server.Lanes[0].Observed) != 1 {
			t.Errorf("the frozen server reported %v", server)
		}
		p.server.abort(id, false)
		p.client.abort(id, false)
		p.client.abort(id, false)
	}
	client, _ := p.play(script(unary, sendPayload(helloName), receiveToEnd), script(unary, receive, sendPayload(helloReply), ok))
	wantSeen(t, "client", client, []string{"Hello, World", "end"})
}

// TestSecondAbortEndsTheRPC on the server with an error for the client, even where the handler waits for a message.
func TestSecondAbortEndsTheRPC(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	id := p.next()
	p.expect(id, script(talk, tell("in"), receiveToEnd, ok))
	p.call(id, script(talk, receiveToEnd))
	p.server.awaitSignal(id, "in")
	p.server.abort(id, false)
	p.server.transcript(id)
	p.server.abort(id, false)
	client := p.client.transcript(id)
	if code := codes.Code(client.Status.Code); code != codes.Aborted {
		t.Errorf("the client's status is %v", client.Status)
	}
}

// TestAbortOfACallThatNeverCame reports so, once.
func TestAbortOfACallThatNeverCame(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	for _, ifNotArrived := range []bool{true, false} {
		id := p.next()
		p.expect(id, script(talk, receiveToEnd, ok))
		p.server.abort(id, ifNotArrived)
		if server := p.server.transcript(id); server.Arrived || server.Aborted == ifNotArrived {
			t.Errorf("with if_not_arrived %v the server reported %v", ifNotArrived, server)
		}
	}
}

// TestRepeat plays a script many times, reports once, and counts the plays that saw the same.
func TestRepeat(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	for _, concurrency := range []uint32{0, 1, 4, 100} {
		client := script(talk, sendPayload(requests), receive, halfClose, receiveToEnd)
		server := script(talk, receive, sendPayload(replies), receiveToEnd, ok)
		client.Repeat, server.Repeat, client.Concurrency = 25, 25, concurrency
		seenByClient, seenByServer := p.play(client, server)
		wantSeen(t, "client", seenByClient, []string{"0", "end"})
		wantSeen(t, "server", seenByServer, []string{"0", "end"})
		if seenByClient.Completed != 25 || seenByServer.Completed != 25 {
			t.Errorf("with concurrency %d, completed: client %d, server %d", concurrency, seenByClient.Completed, seenByServer.Completed)
		}
	}
}

// TestCloseCutsOffOrLetsFinish the calls in flight.
func TestCloseCutsOffOrLetsFinish(t *testing.T) {
	for _, graceful := range []bool{true, false} {
		p := startPair(t, &driverpb.Serve{}, nil)
		id := p.next()
		p.expect(id, script(talk, tell("in"), waitFor("go"), sendPayload(replies), receiveToEnd, ok))
		p.call(id, script(talk, receive, halfClose, receiveToEnd))
		p.server.awaitSignal(id, "in")
		closing := p.next()
		p.server.send(&driverpb.Command{Id: closing, Op: &driverpb.Command_Close{Close: &driverpb.Close{Resource: theServer, Graceful: graceful}}})
		if graceful {
			p.server.signal(id, "go")
		}
		client, server := p.client.transcript(id), p.server.transcript(id)
		if graceful {
			wantSeen(t, "client", client, []string{"0", "end"})
			wantStatus(t, client, &driverpb.Status{})
		} else {
			wantSeen(t, "server", server, []string{"terminated"})
			if code := codes.Code(client.Status.Code); code != codes.Unavailable {
				t.Errorf("the client's status is %v", client.Status)
			}
		}
		p.server.await("Done", func(e *driverpb.Event) bool { return e.Id == closing && e.GetDone() != nil })
	}
}

// TestSurvivesScriptsAgainstTheGrammar reports the play, whatever it observed, and goes on.
func TestSurvivesScriptsAgainstTheGrammar(t *testing.T) {
	p := startPair(t, &driverpb.Serve{}, nil)
	hello := script(unary, sendPayload(helloName), receiveToEnd)
	client, _ := p.play(hello, script(unary, receive, cancel))
	if code := codes.Code(client.Status.Code); code != codes.Unknown {
		t.Errorf("a server that cancels gave the client %v", client.Status)
	}
	id := p.next()
	p.call(id, script(unary, sendPayload(helloName), halfClose, receiveToEnd))
	if code := codes.Code(p.client.transcript(id).Status.Code); code != codes.Internal {
		t.Errorf("a unary client that half-closes reported %v", code)
	}
	client, _ = p.play(hello, script(unary, receive, sendPayload(helloReply), ok))
	wantStatus(t, client, &driverpb.Status{})
}
