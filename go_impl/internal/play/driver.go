// Package play plays scripts: it carries out the harness' commands, makes and serves calls through generated code, and
// reports its observations. It judges nothing.
package play

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract"
	"grpc-interop/go_impl/internal/contract/driverpb"
	"grpc-interop/go_impl/internal/registry"
)

// contractVersion is the version of the driver contract that this driver speaks.
const contractVersion = 1

// capabilities are what this driver can do beyond the contract's core.
var capabilities = []string{
	"metadata", "trailers_on_ok", "details", "deadline", "cancel", "lanes", "signals", "wait_for_termination",
	"any_caller", "repeat", "application", "unknown_fields", "distinguishes_cancel", "transcode", "json", "view",
	"max_receive_bytes", "compression:gzip", "tls", "keepalive", "service_config", "times", "report_metadata",
}

// Driver carries out the commands of one harness.
type Driver struct {
	connection *contract.Connection
	payloads   map[uint64]proto.Message    // used by the reading goroutine only
	channels   map[uint64]*grpc.ClientConn // used by the reading goroutine only
	workers    workers                     // play clients

	mu      sync.Mutex
	servers map[uint64]*server // until they have stopped
	plays   map[uint64]*play   // until they need nothing more
}

// NewDriver makes a driver that is commanded over the connection.
func NewDriver(connection *contract.Connection) *Driver {
	return &Driver{
		connection: connection,
		payloads:   map[uint64]proto.Message{},
		channels:   map[uint64]*grpc.ClientConn{},
		workers:    make(workers),
		servers:    map[uint64]*server{},
		plays:      map[uint64]*play{},
	}
}

// Run greets the harness and carries out its commands until the connection ends, which is not an error.
func (d *Driver) Run() error {
	d.connection.Send(&driverpb.Event{Kind: &driverpb.Event_Hello{Hello: &driverpb.Hello{
		Contract:     contractVersion,
		Versions:     versions(),
		Capabilities: capabilities,
		Token:        os.Getenv("INTEROP_DRIVER_TOKEN"),
	}}})
	for {
		command, err := d.connection.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if refused := d.carryOut(command); refused != nil {
			d.refuse(command.Id, refused.kind, refused.text)
		}
	}
}

func versions() map[string]string {
	found := map[string]string{
		"language": strings.Replace(runtime.Version(), "go", "go ", 1),
		"grpc":     grpc.Version,
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Replace != nil { // builds with a service's own versions use replacements
				module = module.Replace
			}
			if module.Path == "google.golang.org/protobuf" {
				found["protobuf"] = strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return found
}

// refusal is the reason why a command could not be carried out.
type refusal struct {
	kind driverpb.Error_Kind
	text string
}

func refuse(kind driverpb.Error_Kind, format string, arguments ...any) *refusal {
	return &refusal{kind, fmt.Sprintf(format, arguments...)}
}

func (d *Driver) refuse(id uint64, kind driverpb.Error_Kind, text string) {
	d.connection.Send(&driverpb.Event{Id: id, Kind: &driverpb.Event_Error{Error: &driverpb.Error{
		Kind: kind, Text: strings.ToValidUTF8(text, "\uFFFD"),
	}}})
}

func (d *Driver) carryOut(command *driverpb.Command) *refusal {
	for _, capability := range command.Requires {
		if !slices.Contains(capabilities, capability) {
			return refuse(driverpb.Error_KIND_UNSUPPORTED, "the Go driver does not have the capability %q", capability)
		}
	}
	switch op := command.Op.(type) {
	case *driverpb.Command_Payload:
		return d.payload(command.Id, op.Payload)
	case *driverpb.Command_Serve:
		return d.serve(command.Id, op.Serve)
	case *driverpb.Command_Dial:
		return d.dial(command.Id, op.Dial)
	case *driverpb.Command_Close:
		return d.close(command.Id, op.Close)
	case *driverpb.Command_Expect:
		return d.expect(command, op.Expect)
	case *driverpb.Command_Call:
		return d.call(command, op.Call)
	case *driverpb.Command_Abort:
		d.abort(op.Abort)
	case *driverpb.Command_Signal:
		if p := d.findPlay(op.Signal.Play); p != nil {
			p.signal(op.Signal.Name)
		}
	case *driverpb.Command_Transcode:
		described, err := transcode(op.Transcode)
		if err != nil {
			return refuse(driverpb.Error_KIND_UNREADABLE_PAYLOAD, "%s: %v", op.Transcode.Type, err)
		}
		d.connection.Send(&driverpb.Event{Id: command.Id, Kind: &driverpb.Event_Transcoded{Transcoded: described}})
	default:
		return refuse(driverpb.Error_KIND_UNKNOWN_COMMAND, "command %d holds no operation that this driver knows; "+
			"it speaks version %d of the contract", command.Id, contractVersion)
	}
	return nil
}

func (d *Driver) payload(id uint64, order *driverpb.Payload) *refusal {
	m, err := registry.NewMessage(order.Type)
	if err == nil {
		err = proto.Unmarshal(order.Binary, m)
	}
	if err != nil {
		return refuse(driverpb.Error_KIND_UNREADABLE_PAYLOAD, "%s: %v", order.Type, err)
	}
	d.payloads[id] = m
	return nil
}

func (d *Driver) serve(id uint64, order *driverpb.Serve) *refusal {
	s, address, err := startServer(order)
	if err != nil {
		return refuse(driverpb.Error_KIND_REFUSED, "start a server: %v", err)
	}
	d.mu.Lock()
	d.servers[id] = s
	d.mu.Unlock()
	d.ready(id, address)
	return nil
}

func (d *Driver) dial(id uint64, order *driverpb.Dial) *refusal {
	channel, err := dial(order)
	if err != nil {
		return refuse(driverpb.Error_KIND_REFUSED, "open a channel to %s: %v", order.Target, err)
	}
	d.channels[id] = channel
	d.ready(id, "")
	return nil
}

func (d *Driver) ready(id uint64, address string) {
	d.connection.Send(&driverpb.Event{Id: id, Kind: &driverpb.Event_Ready{Ready: &driverpb.Ready{Address: address}}})
}

func (d *Driver) close(id uint64, order *driverpb.Close) *refusal {
	done := func() {
		d.connection.Send(&driverpb.Event{Id: id, Kind: &driverpb.Event_Done{Done: &driverpb.Done{}}})
	}
	if _, ok := d.payloads[order.Resource]; ok {
		delete(d.payloads, order.Resource)
		done()
		return nil
	}
	if channel := d.channels[order.Resource]; channel != nil {
		delete(d.channels, order.Resource)
		if err := channel.Close(); err != nil {
			return refuse(driverpb.Error_KIND_INTERNAL, "close channel %d: %v", order.Resource, err)
		}
		done()
		return nil
	}
	d.mu.Lock()
	s := d.servers[order.Resource]
	d.mu.Unlock()
	if s == nil {
		return refuse(driverpb.Error_KIND_UNKNOWN_REFERENCE, "there is nothing with id %d to close", order.Resource)
	}
	go func() { // a graceful stop waits for calls in flight, whose scripts must go on
		s.close(order.Graceful)
		d.mu.Lock()
		delete(d.servers, order.Resource)
		d.mu.Unlock()
		done()
	}()
	return nil
}

func (d *Driver) expect(command *driverpb.Command, script *driverpb.Play) *refusal {
	d.mu.Lock()
	s := d.servers[command.Resource]
	d.mu.Unlock()
	if s == nil {
		return refuse(driverpb.Error_KIND_UNKNOWN_REFERENCE, "play %d names server %d, which does not exist", command.Id, command.Resource)
	}
	p, refused := d.newPlay(command.Id, script, func(m *registry.Method) proto.Message { return m.Reply })
	if refused != nil {
		return refused
	}
	p.cancel = func() {}
	p.forget = func() {
		s.forget(p)
		d.forgetPlay(p)
	}
	s.expect(p)
	return nil
}

func (d *Driver) call(command *driverpb.Command, script *driverpb.Play) *refusal {
	channel := d.channels[command.Resource]
	if channel == nil {
		return refuse(driverpb.Error_KIND_UNKNOWN_REFERENCE, "play %d names channel %d, which does not exist", command.Id, command.Resource)
	}
	p, refused := d.newPlay(command.Id, script, func(m *registry.Method) proto.Message { return m.Request })
	if refused != nil {
		return refused
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	d.workers.do(func() { playClient(ctx, p, channel) })
	return nil
}

func (d *Driver) newPlay(id uint64, script *driverpb.Play, sent func(*registry.Method) proto.Message) (*play, *refusal) {
	method := registry.FindMethod(script.Method)
	if method == nil {
		return nil, refuse(driverpb.Error_KIND_UNKNOWN_REFERENCE, "play %d names the method %s, which this driver was not built with", id, script.Method)
	}
	p, err := newPlay(id, script, method, sent(method), func(id uint64) proto.Message { return d.payloads[id] })
	if err != nil {
		return nil, refuse(driverpb.Error_KIND_UNKNOWN_REFERENCE, "play %d: %v", id, err)
	}
	p.send = d.connection.Send
	p.forget = func() { d.forgetPlay(p) }
	d.mu.Lock()
	d.plays[id] = p
	d.mu.Unlock()
	return p, nil
}

func (d *Driver) findPlay(id uint64) *play {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.plays[id]
}

func (d *Driver) forgetPlay(p *play) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.plays, p.id)
}

func (d *Driver) abort(order *driverpb.Abort) {
	p := d.findPlay(order.Play)
	if p == nil {
		return
	}
	if order.IfNotArrived {
		p.abortUnlessArrived()
	} else {
		p.abort()
	}
}
