package play

import (
	"context"
	"errors"
	"io"
	"log"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
	"grpc-interop/go_impl/internal/registry"
)

// playClient plays a client's script over a channel: once, or as often and as concurrently as `repeat` says.
// Cancelling ctx ends all its RPCs.
func playClient(ctx context.Context, p *play, over grpc.ClientConnInterface) {
	outgoing := []string{caseKey, strconv.FormatUint(p.id, 10)}
	for _, entry := range p.script.Metadata {
		outgoing = append(outgoing, entry.Key, string(entry.Value))
	}
	ctx = metadata.AppendToOutgoingContext(ctx, outgoing...)

	runs := p.times()
	workers := min(runs, max(1, int(p.script.Concurrency)))
	var others sync.WaitGroup
	for worker := range workers {
		share := (runs + worker) / workers // shares differ by at most one and add up to runs
		playShare := func() {
			for range share {
				if p.isFrozen() {
					return
				}
				playClientOnce(ctx, p, over)
			}
		}
		if worker < workers-1 {
			others.Go(playShare)
		} else {
			playShare()
		}
	}
	others.Wait()
}

// clientRun is one RPC of a client's play.
type clientRun struct {
	*record
	ctx     context.Context
	cancel  context.CancelFunc
	channel grpc.ClientConnInterface
	options []grpc.CallOption

	begun chan struct{} // closed when the call has begun, if a request begins it; nil in all other kinds
	over  chan struct{} // closed when the RPC has a status; nil if no step needs to know

	// A unary call.
	replied         chan struct{} // closed when the call has returned; nil until it begins
	reply           proto.Message // nil once it was received
	replyErr        error
	header, trailer metadata.MD

	// A streaming call.
	stream     registry.ClientStream
	openErr    error // why there is no stream
	sendErr    error // why a message could not be sent, unless the RPC had ended
	halfClosed atomic.Bool
	ahead      *readAhead // receives while a `wait_for` waits; nil if there was no need

	settled bool        // the status is known
	crashed atomic.Bool // a lane panicked
}

func playClientOnce(ctx context.Context, p *play, over grpc.ClientConnInterface) {
	r := &clientRun{record: p.begin(), channel: over}
	if p.script.TimeoutUs != nil {
		r.ctx, r.cancel = context.WithTimeout(ctx, time.Duration(*p.script.TimeoutUs)*time.Microsecond)
	} else {
		r.ctx, r.cancel = context.WithCancel(ctx)
	}
	if name := p.script.Compression; name != "" {
		r.options = append(r.options, grpc.UseCompressor(name))
	}
	if p.waits {
		r.over = make(chan struct{})
	}
	if p.method.ClientStreams {
		r.stream, r.openErr = p.method.Open(r.ctx, over, nil, r.options...)
	} else {
		r.begun = make(chan struct{})
	}

	var others sync.WaitGroup
	for lane := 1; lane < len(p.lanes); lane++ {
		others.Go(func() { r.playLane(lane) })
	}
	if len(p.lanes) > 0 {
		r.playLane(0)
	}
	others.Wait()
	if p.isFrozen() {
		return // the RPC stays open until the second Abort cancels it
	}
	r.settleUnread()
	r.cancel()
	p.end(r.record)
}

// settleUnread finds out how the RPC ended if the script does not receive to the end.
func (r *clientRun) settleUnread() {
	for !r.settled {
		_, err := r.next()
		if err != nil && r.crashed.Load() {
			err = status.Error(codes.Internal, "the Go driver failed while it played this script; its log tells more")
		}
		if err != nil {
			r.settle(err)
		}
	}
}

func (r *clientRun) playLane(lane int) {
	defer func() {
		if cause := recover(); cause != nil { // most likely a script that breaks the contract's grammar
			log.Printf("play %d: lane %d panicked: %v\n%s", r.play.id, lane, cause, debug.Stack())
			r.crashed.Store(true)
			r.cancel()
		}
	}()
	steps := r.play.lanes[lane]
	for i, step := range steps {
		if r.play.isFrozen() {
			return
		}
		switch kind := step.Kind.(type) {
		case *driverpb.Step_Send:
			if r.play.method.ClientStreams {
				r.send(step.message)
			} else {
				r.begin(step.message, len(r.play.lanes) == 1 && i+1 < len(steps) && isReceive(steps[i+1]))
			}
		case *driverpb.Step_Receive:
			r.receive(lane)
		case *driverpb.Step_ReceiveToEnd:
			for r.receive(lane) && !r.play.isFrozen() {
			}
		case *driverpb.Step_HalfClose:
			r.halfClose()
		case *driverpb.Step_Cancel:
			r.cancel()
		case *driverpb.Step_ReceiveHeaders:
			r.receiveHeaders()
		case *driverpb.Step_Signal:
			r.play.tell(kind.Signal)
		case *driverpb.Step_WaitFor:
			r.readAhead(lane)
			r.play.waitFor(kind.WaitFor, r.ctx.Done(), r.over)
		default:
			panic("a client does not play this step: " + step.String())
		}
		r.done(lane)
	}
}

func isReceive(s step) bool {
	switch s.Kind.(type) {
	case *driverpb.Step_Receive, *driverpb.Step_ReceiveToEnd:
		return true
	}
	return false
}

// begin starts a call whose only request is this one. With inline, a unary call is made right here: the next step
// would only wait for it.
func (r *clientRun) begin(request proto.Message, inline bool) {
	method := r.play.method
	if r.replied != nil || r.stream.ClientStream != nil {
		panic("this kind of method has one request, and it was sent")
	}
	if method.ServerStreams {
		r.stream, r.openErr = method.Open(r.ctx, r.channel, request, r.options...)
		close(r.begun)
		return
	}
	r.replied = make(chan struct{})
	close(r.begun)
	options := append(r.options, grpc.Header(&r.header), grpc.Trailer(&r.trailer))
	call := func() {
		r.reply, r.replyErr = method.Call(r.ctx, r.channel, request, options...)
		if r.replyErr != nil {
			r.reply = nil // the stub's nil pointer
		}
		close(r.replied)
		if r.over != nil {
			close(r.over)
		}
	}
	if inline {
		call()
	} else {
		go call()
	}
}

// open reports whether the RPC can still be written to. The runtime drops a cancelled RPC a moment after the context is
// done; a message written in between would reach a server that should see only the cancel.
func (r *clientRun) open() bool { return r.openErr == nil && r.ctx.Err() == nil }

func (r *clientRun) halfClose() {
	r.halfClosed.Store(true)
	if r.open() {
		_ = r.stream.CloseSend() // the end of an RPC shows when it is read
	}
}

func (r *clientRun) send(m proto.Message) {
	if !r.open() {
		return
	}
	if err := r.stream.Send(m); err != nil && err != io.EOF {
		r.sendErr = err
	}
}

// receive takes the next message or the end, and says whether there may be more.
func (r *clientRun) receive(lane int) bool {
	if r.settled {
		return false
	}
	m, err := r.next()
	if err == nil {
		r.message(lane, m)
		return true
	}
	r.end(lane)
	r.settle(err)
	return false
}

// next returns the other side's next message; io.EOF after the last one, or the error with which the RPC ended.
func (r *clientRun) next() (proto.Message, error) {
	if r.ahead != nil {
		return r.ahead.next()
	}
	if err := r.awaitBegin(); err != nil {
		return nil, err
	}
	if r.replied != nil {
		<-r.replied
		m := r.reply
		r.reply = nil
		if m == nil && r.replyErr == nil {
			return nil, io.EOF
		}
		return m, r.replyErr
	}
	return r.fromStream()
}

// awaitBegin waits until the call has begun, or returns why it never will.
func (r *clientRun) awaitBegin() error {
	if r.begun == nil {
		return nil
	}
	select {
	case <-r.begun:
		return nil
	case <-r.ctx.Done():
	}
	select { // a call that has begun reports itself how it ended
	case <-r.begun:
		return nil
	default:
		return status.FromContextError(r.ctx.Err()).Err()
	}
}

func (r *clientRun) fromStream() (proto.Message, error) {
	if r.openErr != nil {
		return nil, r.openErr
	}
	method := r.play.method
	if method.ServerStreams || r.halfClosed.Load() {
		return r.stream.Receive()
	}
	// The stub's CloseAndRecv would half-close, which the script has not done yet.
	reply := method.Reply.ProtoReflect().New().Interface()
	if err := r.stream.RecvMsg(reply); err != nil {
		return nil, err
	}
	return reply, nil
}

func (r *clientRun) receiveHeaders() {
	if r.awaitBegin() != nil {
		return
	}
	var header metadata.MD
	switch {
	case r.replied != nil:
		<-r.replied
		header = r.header
	case r.openErr == nil:
		header, _ = r.stream.Header() // without headers the RPC has ended, and the status says why
	}
	r.change(func(t *driverpb.Transcript) { t.Initial = reported(header, r.play.script.ReportMetadata) })
}

// settle records how the RPC ended.
func (r *clientRun) settle(err error) {
	r.settled = true
	if err == io.EOF {
		err = nil
	}
	if r.sendErr != nil && status.Code(err) == codes.Canceled && !errors.Is(r.ctx.Err(), context.Canceled) {
		err = r.sendErr // the runtime cancelled because this message could not be sent
	}
	header, trailer := r.header, r.trailer
	if r.stream.ClientStream != nil {
		header, _ = r.stream.Header()
		trailer = r.stream.Trailer()
	}
	also := r.play.script.ReportMetadata
	ended := describeStatus(err, trailer, also)
	initial := reported(header, also)
	r.change(func(t *driverpb.Transcript) { t.Status, t.Initial = ended, initial })
	if r.over != nil && r.replied == nil && r.ahead == nil {
		close(r.over)
	}
}

// readAhead makes sure that the end of the RPC is noticed while this lane waits. Unary calls do not need that.
func (r *clientRun) readAhead(lane int) {
	unary := !r.play.method.ClientStreams && !r.play.method.ServerStreams
	if unary || lane != r.play.reader || r.ahead != nil || r.settled {
		return
	}
	receive := func() (proto.Message, error) {
		if err := r.awaitBegin(); err != nil {
			return nil, err
		}
		return r.fromStream()
	}
	r.ahead = startReadAhead(receive, func() { close(r.over) })
}
