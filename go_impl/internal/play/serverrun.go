package play

import (
	"fmt"
	"io"
	"log"
	"runtime/debug"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
	"grpc-interop/go_impl/internal/registry"
)

// serverRun is one RPC of a server's play.
type serverRun struct {
	*record
	call *registry.ServerCall

	// State of the receiving lane.
	requested bool // the request of a client that does not stream was taken
	halfEnded bool // the client has half-closed

	cut    chan struct{} // closed when nothing can be received any more though the context is not done
	cutErr error

	reply  proto.Message    // of a unary method
	finish *driverpb.Status // the script's status for the end of the RPC; nil until then
}

func newServerRun(p *play, call *registry.ServerCall, ended bool) *serverRun {
	r := &serverRun{record: p.begin(), call: call, cut: make(chan struct{})}
	incoming, _ := metadata.FromIncomingContext(call.Context)
	request := reported(incoming, p.script.ReportMetadata)
	r.change(func(t *driverpb.Transcript) {
		t.Request = request
		if deadline, ok := call.Context.Deadline(); ok {
			remaining := uint64(max(0, time.Until(deadline).Microseconds()))
			t.RemainingUs = &remaining
		}
	})
	if ended {
		r.cutOff(status.FromContextError(call.Context.Err()).Err())
	}
	return r
}

// playLanes plays the script and reports, unless an Abort froze it.
func (r *serverRun) playLanes() {
	var others sync.WaitGroup
	for lane := 1; lane < len(r.play.lanes); lane++ {
		others.Go(func() { r.playLane(lane) })
	}
	if len(r.play.lanes) > 0 {
		r.playLane(0)
	}
	others.Wait()
	if !r.play.isFrozen() {
		r.play.end(r.record)
	}
}

// result returns the handler's result. The RPC of a frozen play stays open until it is aborted again.
func (r *serverRun) result() (proto.Message, error) {
	if r.play.isFrozen() {
		select {
		case <-r.play.killed:
			return nil, errAborted
		case <-r.call.Context.Done():
		}
	}
	if err := r.call.Context.Err(); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	if r.isCut() {
		return nil, r.cutErr
	}
	if r.finish == nil {
		return nil, status.Error(codes.Unknown, "the script ended without `finish`")
	}
	if trailers := toMetadata(r.finish.Trailers); trailers != nil {
		if r.call.Stream != nil {
			r.call.Stream.SetTrailer(trailers)
		} else if err := grpc.SetTrailer(r.call.Context, trailers); err != nil {
			log.Printf("play %d: trailers could not be set: %v", r.play.id, err)
		}
	}
	return r.reply, toError(r.finish)
}

func (r *serverRun) playLane(lane int) {
	defer func() {
		if cause := recover(); cause != nil {
			log.Printf("play %d: lane %d panicked: %v\n%s", r.play.id, lane, cause, debug.Stack())
			r.cutOff(status.Errorf(codes.Unknown, "the handler panicked: %v", cause))
		}
	}()
	for _, step := range r.play.lanes[lane] {
		if r.play.isFrozen() {
			return
		}
		switch kind := step.Kind.(type) {
		case *driverpb.Step_Send:
			r.send(step.message)
		case *driverpb.Step_Receive:
			r.receive(lane)
		case *driverpb.Step_ReceiveToEnd:
			for r.receive(lane) && !r.play.isFrozen() {
			}
		case *driverpb.Step_SendHeaders:
			r.sendHeaders(toMetadata(kind.SendHeaders.Entries))
		case *driverpb.Step_Finish:
			r.finish = kind.Finish // takes effect when the other lane has done its steps, too
		case *driverpb.Step_Signal:
			r.play.tell(kind.Signal)
		case *driverpb.Step_WaitFor:
			r.play.waitFor(kind.WaitFor, r.call.Context.Done(), r.cut)
		case *driverpb.Step_WaitForTermination:
			r.awaitTermination(lane)
		default:
			panic(fmt.Sprintf("a server does not play this step: %v", step.Step))
		}
		r.done(lane)
	}
}

func (r *serverRun) send(m proto.Message) {
	if r.call.Send == nil {
		r.reply = m
	} else if !r.isCut() {
		_ = r.call.Send(m) // a failed send says nothing for sure; the transcripts show what arrived
	}
}

func (r *serverRun) sendHeaders(md metadata.MD) {
	var err error
	if r.call.Stream != nil {
		err = r.call.Stream.SendHeader(md)
	} else {
		err = grpc.SendHeader(r.call.Context, md)
	}
	if err != nil && r.call.Context.Err() == nil {
		log.Printf("play %d: initial metadata could not be sent: %v", r.play.id, err)
	}
}

// receive takes the next message, and says whether there may be more.
func (r *serverRun) receive(lane int) bool {
	if r.isCut() {
		r.terminated(lane)
		return false
	}
	if r.call.Receive == nil {
		if !r.requested {
			r.requested = true
			r.message(lane, r.call.Request)
			return true
		}
		r.awaitTermination(lane)
		return false
	}
	if r.halfEnded {
		return false
	}
	m, err := r.call.Receive()
	switch err {
	case nil:
		r.message(lane, m)
		return true
	case io.EOF:
		r.halfEnded = true
		r.end(lane)
	default:
		r.cutOff(err)
		r.terminated(lane)
	}
	return false
}

// awaitTermination waits until the RPC is ended from outside.
func (r *serverRun) awaitTermination(lane int) {
	select {
	case <-r.call.Context.Done():
		r.terminated(lane)
	case <-r.cut:
		r.terminated(lane)
	case <-r.play.frozen:
	}
}

// cutOff records that nothing more can be received, and why.
func (r *serverRun) cutOff(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isCut() {
		r.cutErr = err
		close(r.cut)
	}
}

func (r *serverRun) isCut() bool {
	select {
	case <-r.cut:
		return true
	default:
		return false
	}
}
