package play_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	_ "grpc-interop/go_impl/driven/greeter/v1"
	greeterv1 "grpc-interop/go_impl/gen/greeter/v1"
	"grpc-interop/go_impl/internal/contract"
	"grpc-interop/go_impl/internal/contract/driverpb"
	_ "grpc-interop/go_impl/internal/greeter/application"
	"grpc-interop/go_impl/internal/play"
)

// patience is how long a test waits for an event. Only a test that fails waits that long.
const patience = 10 * time.Second

// harness commands a driver that runs in this process.
type harness struct {
	t     testing.TB
	conn  net.Conn
	hello *driverpb.Hello

	mu      sync.Mutex
	arrived sync.Cond
	events  []*driverpb.Event
	closed  bool
}

func startDriver(t testing.TB) *harness {
	t.Helper()
	ours, theirs := net.Pipe()
	h := &harness{t: t, conn: ours}
	h.arrived.L = &h.mu
	ended := make(chan error, 1)
	connection := contract.New(theirs)
	go func() { ended <- play.NewDriver(connection).Run() }()
	go h.read()
	t.Cleanup(func() {
		ours.Close()
		if err := <-ended; err != nil {
			t.Errorf("the driver ended with %v", err)
		}
		connection.Close()
	})
	h.hello = h.await("Hello", func(e *driverpb.Event) bool { return e.GetHello() != nil }).GetHello()
	return h
}

func (h *harness) read() {
	reader := bufio.NewReader(h.conn)
	for {
		event := new(driverpb.Event)
		err := protodelim.UnmarshalFrom(reader, event)
		h.mu.Lock()
		if err != nil {
			h.closed = true
		} else {
			h.events = append(h.events, event)
		}
		h.arrived.Broadcast()
		h.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// await returns the next event that fits, and takes it away.
func (h *harness) await(what string, fits func(*driverpb.Event) bool) *driverpb.Event {
	h.t.Helper()
	timer := time.AfterFunc(patience, func() {
		h.mu.Lock()
		h.closed = true
		h.arrived.Broadcast()
		h.mu.Unlock()
	})
	defer timer.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		if i := slices.IndexFunc(h.events, fits); i >= 0 {
			event := h.events[i]
			h.events = slices.Delete(h.events, i, i+1)
			return event
		}
		if h.closed {
			h.t.Fatalf("the driver did not send %s", what)
		}
		h.arrived.Wait()
	}
}

func (h *harness) send(command *driverpb.Command) {
	h.t.Helper()
	if _, err := protodelim.MarshalTo(h.conn, command); err != nil && err != io.ErrClosedPipe {
		h.t.Fatal(err)
	}
}

// answer sends a command and returns the event that answers it.
func (h *harness) answer(command *driverpb.Command) *driverpb.Event {
	h.t.Helper()
	h.send(command)
	return h.await(fmt.Sprintf("an answer to command %d", command.Id), func(e *driverpb.Event) bool {
		return e.Id == command.Id && e.GetSignal() == nil
	})
}

func (h *harness) transcript(id uint64) *driverpb.Transcript {
	h.t.Helper()
	event := h.await(fmt.Sprintf("the transcript of play %d", id), func(e *driverpb.Event) bool {
		return e.Id == id && e.GetSignal() == nil
	})
	if event.GetTranscript() == nil {
		h.t.Fatalf("play %d was answered by %v", id, event)
	}
	return event.GetTranscript()
}

// Ids of the resources that every pair has.
const (
	theServer  = 1
	theChannel = 1
	requests   = 10 // payloads 10 to 19: requests "0" to "9" of the streaming methods
	replies    = 20
	helloName  = 30
	helloReply = 31
)

// pair is a driver with a server, and a driver with a channel to it.
type pair struct {
	t              testing.TB
	client, server *harness
	address        string
	last           uint64 // id used
}

func startPair(t testing.TB, serve *driverpb.Serve, options *driverpb.Options) *pair {
	t.Helper()
	p := &pair{t: t, client: startDriver(t), server: startDriver(t), last: 100}
	ready := p.server.answer(&driverpb.Command{Id: theServer, Op: &driverpb.Command_Serve{Serve: serve}})
	if p.address = ready.GetReady().GetAddress(); p.address == "" {
		t.Fatalf("serve was answered by %v", ready)
	}
	dial := &driverpb.Dial{Target: p.address, Options: options}
	if made := p.client.answer(&driverpb.Command{Id: theChannel, Op: &driverpb.Command_Dial{Dial: dial}}); made.GetReady() == nil {
		t.Fatalf("dial was answered by %v", made)
	}
	for i := range uint64(10) {
		text := fmt.Sprint(i)
		p.client.payload(requests+i, &greeterv1.StreamReqData{Data: text})
		p.server.payload(replies+i, &greeterv1.StreamResData{Data: text})
	}
	p.client.payload(helloName, &greeterv1.HelloRequest{Name: "World"})
	p.server.payload(helloReply, &greeterv1.HelloReply{Message: "Hello, World"})
	return p
}

func (h *harness) payload(id uint64, m proto.Message) {
	h.t.Helper()
	content, err := proto.Marshal(m)
	if err != nil {
		h.t.Fatal(err)
	}
	h.send(&driverpb.Command{Id: id, Op: &driverpb.Command_Payload{Payload: &driverpb.Payload{
		Type: string(m.ProtoReflect().Descriptor().FullName()), Binary: content,
	}}})
}

func (p *pair) next() uint64 {
	p.last++
	return p.last
}

func (p *pair) expect(id uint64, script *driverpb.Play) {
	p.t.Helper()
	p.server.send(&driverpb.Command{Id: id, Resource: theServer, Op: &driverpb.Command_Expect{Expect: script}})
}

func (p *pair) call(id uint64, script *driverpb.Play) {
	p.t.Helper()
	p.client.send(&driverpb.Command{Id: id, Resource: theChannel, Op: &driverpb.Command_Call{Call: script}})
}

// play plays both scripts and returns the transcripts of both sides.
func (p *pair) play(client, server *driverpb.Play) (seenByClient, seenByServer *driverpb.Transcript) {
	p.t.Helper()
	id := p.next()
	p.expect(id, server)
	p.call(id, client)
	return p.client.transcript(id), p.server.transcript(id)
}

func (h *harness) abort(play uint64, ifNotArrived bool) {
	h.t.Helper()
	h.send(&driverpb.Command{Id: 1 << 40, Op: &driverpb.Command_Abort{Abort: &driverpb.Abort{Play: play, IfNotArrived: ifNotArrived}}})
}

func (h *harness) signal(play uint64, name string) {
	h.t.Helper()
	h.send(&driverpb.Command{Id: 1 << 41, Op: &driverpb.Command_Signal{Signal: &driverpb.Signal{Play: play, Name: name}}})
}

func (h *harness) awaitSignal(play uint64, name string) {
	h.t.Helper()
	h.await(fmt.Sprintf("the signal %q of play %d", name, play), func(e *driverpb.Event) bool {
		return e.Id == play && e.GetSignal().GetName() == name && e.GetSignal().GetPlay() == play
	})
}

// -- scripts ----------------------------------------------------------------------------------------------------------

const (
	unary    = "/greeter.v1.Greeter/SayHello"
	download = "/greeter.v1.Greeter/GetStream"
	upload   = "/greeter.v1.Greeter/PutStream"
	talk     = "/greeter.v1.Greeter/AllStream"
)

func script(method string, steps ...*driverpb.Step) *driverpb.Play {
	return &driverpb.Play{Method: method, Lanes: []*driverpb.Lane{{Steps: steps}}}
}

func lanes(method string, all ...[]*driverpb.Step) *driverpb.Play {
	p := &driverpb.Play{Method: method}
	for _, steps := range all {
		p.Lanes = append(p.Lanes, &driverpb.Lane{Steps: steps})
	}
	return p
}

var (
	none         = new(driverpb.Nothing)
	receive      = &driverpb.Step{Kind: &driverpb.Step_Receive{Receive: none}}
	receiveToEnd = &driverpb.Step{Kind: &driverpb.Step_ReceiveToEnd{ReceiveToEnd: none}}
	halfClose    = &driverpb.Step{Kind: &driverpb.Step_HalfClose{HalfClose: none}}
	cancel       = &driverpb.Step{Kind: &driverpb.Step_Cancel{Cancel: none}}
	headers      = &driverpb.Step{Kind: &driverpb.Step_ReceiveHeaders{ReceiveHeaders: none}}
	termination  = &driverpb.Step{Kind: &driverpb.Step_WaitForTermination{WaitForTermination: none}}
	ok           = finish(&driverpb.Status{})
)

func sendPayload(id uint64) *driverpb.Step {
	return &driverpb.Step{Kind: &driverpb.Step_Send{Send: id}}
}

func finish(s *driverpb.Status) *driverpb.Step {
	return &driverpb.Step{Kind: &driverpb.Step_Finish{Finish: s}}
}

func tell(name string) *driverpb.Step {
	return &driverpb.Step{Kind: &driverpb.Step_Signal{Signal: name}}
}

func waitFor(name string) *driverpb.Step {
	return &driverpb.Step{Kind: &driverpb.Step_WaitFor{WaitFor: name}}
}

func sendHeaders(entries ...*driverpb.Entry) *driverpb.Step {
	return &driverpb.Step{Kind: &driverpb.Step_SendHeaders{SendHeaders: &driverpb.Headers{Entries: entries}}}
}

func entry(key, value string) *driverpb.Entry {
	return &driverpb.Entry{Key: key, Value: []byte(value)}
}

// -- what was seen ----------------------------------------------------------------------------------------------------

// words returns the observations of a lane: the text of each message (the first field of every Greeter message), `end`,
// `terminated`.
func words(seen *driverpb.Seen) []string {
	all := []string{}
	for _, observation := range seen.Observed {
		switch {
		case observation.GetMessage() != nil:
			var text greeterv1.HelloRequest
			if err := proto.Unmarshal(observation.GetMessage().Binary, &text); err != nil {
				all = append(all, err.Error())
			} else {
				all = append(all, text.Name)
			}
		case observation.GetEnd() != nil:
			all = append(all, "end")
		case observation.GetTerminated() != nil:
			all = append(all, "terminated")
		}
	}
	return all
}

// wantSeen fails unless each lane of the transcript observed these words.
func wantSeen(t *testing.T, who string, transcript *driverpb.Transcript, want ...[]string) {
	t.Helper()
	var got [][]string
	for _, lane := range transcript.Lanes {
		got = append(got, words(lane))
	}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("the %s saw %q; want %q", who, got, want)
	}
}

func wantStatus(t *testing.T, transcript *driverpb.Transcript, want *driverpb.Status) {
	t.Helper()
	if !proto.Equal(transcript.Status, want) {
		t.Errorf("the RPC ended with %v; want %v", transcript.Status, want)
	}
}
