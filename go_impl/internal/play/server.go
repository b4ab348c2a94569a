package play

import (
	"context"
	"fmt"
	"log"
	"net"
	"runtime/debug"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
	"grpc-interop/go_impl/internal/registry"
)

// server is a running gRPC server that offers every service of the registry. It is the registry's Host: calls find
// their scripts here, or wait for them.
type server struct {
	grpc        *grpc.Server
	compression string  // of the replies; empty for none
	workers     workers // play streams
	closing     chan struct{}
	closeOnce   sync.Once

	mu      sync.Mutex
	scripts map[uint64]*play        // by case id, until all their calls have arrived
	parked  map[uint64][]chan *play // calls that wait for their script, by case id
	callers map[string][]*play      // scripts for any caller of a method, oldest first
}

// startServer serves on 127.0.0.1; port 0 lets the system choose.
func startServer(order *driverpb.Serve) (s *server, address string, err error) {
	options, err := serverOptions(order.Options)
	if err != nil {
		return nil, "", err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", order.Port))
	if err != nil {
		return nil, "", err
	}
	s = &server{
		grpc:        grpc.NewServer(options...),
		compression: order.Options.GetCompression(),
		workers:     make(workers),
		closing:     make(chan struct{}),
		scripts:     map[uint64]*play{},
		parked:      map[uint64][]chan *play{},
		callers:     map[string][]*play{},
	}
	for _, service := range registry.Services() {
		var application any
		if order.Application {
			application = registry.NewApplication(service.Name)
		}
		service.Register(s.grpc, s, application)
	}
	go func() {
		if err := s.grpc.Serve(listener); err != nil {
			log.Printf("server at %s: %v", listener.Addr(), err)
		}
	}()
	return s, listener.Addr().String(), nil
}

// close stops the server. Calls in flight may finish if graceful; calls that ended while parked are dropped either way.
// A graceful stop that takes too long can be followed by a stop that is not graceful.
func (s *server) close(graceful bool) {
	s.closeOnce.Do(func() { close(s.closing) })
	if graceful {
		s.grpc.GracefulStop()
	} else {
		s.grpc.Stop()
	}
}

// expect registers a script for the call that will arrive, or has arrived, with its case id.
func (s *server) expect(p *play) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.script.AnyCaller {
		s.callers[p.script.Method] = append(s.callers[p.script.Method], p)
		return
	}
	waiting := s.parked[p.id]
	for p.calls < p.times() && len(waiting) > 0 {
		waiting[0] <- p
		waiting = waiting[1:]
		p.calls++
	}
	if len(waiting) > 0 {
		s.parked[p.id] = waiting
	} else {
		delete(s.parked, p.id)
	}
	if p.calls < p.times() {
		s.scripts[p.id] = p
	}
}

// forget drops a script whose calls are no longer expected.
func (s *server) forget(p *play) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !p.script.AnyCaller {
		delete(s.scripts, p.id)
		return
	}
	for i, waiting := range s.callers[p.script.Method] {
		if waiting == p {
			s.callers[p.script.Method] = append(s.callers[p.script.Method][:i:i], s.callers[p.script.Method][i+1:]...)
			return
		}
	}
}

// Handle serves a call: by the script of its case id, by a script for any caller, or by the application.
func (s *server) Handle(call *registry.ServerCall) (reply proto.Message, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			log.Printf("a handler of %s panicked: %v\n%s", call.Method.Name, cause, debug.Stack())
			reply, err = nil, status.Errorf(codes.Unknown, "the handler panicked: %v", cause)
		}
	}()
	if ids := metadata.ValueFromIncomingContext(call.Context, caseKey); len(ids) > 0 {
		id, err := strconv.ParseUint(ids[0], 10, 64)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "%s is %q; it holds a case id, a decimal number", caseKey, ids[0])
		}
		p, ended := s.scriptOf(call.Context, id)
		if p == nil {
			return nil, status.FromContextError(call.Context.Err()).Err()
		}
		return s.play(p, call, ended)
	}
	if p := s.scriptOfAnyCaller(call.Method.Name); p != nil {
		return s.play(p, call, false)
	}
	if call.Application != nil {
		return call.Application()
	}
	return nil, status.Errorf(codes.Unimplemented, "%s has no script for a call without %s", call.Method.Name, caseKey)
}

// scriptOf returns the script of a case, after waiting for it, and whether the call had ended before the script came. It
// returns nil if the call ended and the server is closed.
func (s *server) scriptOf(ctx context.Context, id uint64) (p *play, ended bool) {
	s.mu.Lock()
	if p := s.scripts[id]; p != nil {
		p.calls++
		if p.calls == p.times() {
			delete(s.scripts, id)
		}
		s.mu.Unlock()
		return p, false
	}
	arrives := make(chan *play, 1)
	s.parked[id] = append(s.parked[id], arrives)
	s.mu.Unlock()

	select {
	case p := <-arrives:
		return p, false
	case <-ctx.Done():
	}
	select {
	case p := <-arrives:
		return p, true
	case <-s.closing:
		return nil, true
	}
}

func (s *server) scriptOfAnyCaller(method string) *play {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.callers[method]
	if len(queue) == 0 {
		return nil
	}
	p := queue[0]
	p.calls++
	if p.calls == p.times() {
		s.callers[method] = queue[1:]
	}
	return p
}

// play plays a script in a call. ended says that the call was over before its script came.
func (s *server) play(p *play, call *registry.ServerCall, ended bool) (proto.Message, error) {
	compression := s.compression
	if p.script.Compression != "" {
		compression = p.script.Compression
	}
	if compression != "" {
		if err := grpc.SetSendCompressor(call.Context, compression); err != nil {
			log.Printf("play %d: replies go uncompressed: %v", p.id, err)
		}
	}
	r := newServerRun(p, call, ended)
	if call.Stream == nil {
		r.playLanes()
		return r.result()
	}
	// The runtime does not release a handler that waits in a stream's receive or send, so the script is played in
	// another goroutine: then the handler can return, and end the RPC, at a second Abort.
	finished := make(chan struct{})
	s.workers.do(func() {
		defer close(finished)
		r.playLanes()
	})
	select {
	case <-finished:
		return r.result()
	case <-p.killed:
		return nil, errAborted
	}
}

var errAborted = status.Error(codes.Aborted, "the harness aborted this play")

var _ registry.Host = (*server)(nil)
