package play

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
	"grpc-interop/go_impl/internal/registry"
)

// play is one side's script and its state while it is played: in one RPC, or with `repeat` in several.
type play struct {
	id     uint64
	script *driverpb.Play
	method *registry.Method
	lanes  [][]step
	waits  bool // a lane has a `wait_for`
	// reader is the lane that takes the other side's messages; without such a lane, the first that waits for a signal.
	reader int

	send func(*driverpb.Event) // to the harness
	// forget is called once, when the play needs nothing more from the driver.
	forget func()

	calls int // server: the calls that took the script; guarded by the server's lock

	taken  time.Time     // when the script came
	frozen chan struct{} // closed by the first Abort
	killed chan struct{} // closed by the second
	cancel func()        // client: ends its RPCs

	mu        sync.Mutex
	signals   map[string]int // arrived, and not yet taken by a `wait_for`
	signaled  chan struct{}  // closed when a signal arrives; nil if nobody waits
	started   time.Time      // of the first run
	arrivals  int            // runs begun
	finished  int            // runs ended
	first     *record        // the first run to begin, whose transcript is reported
	reference *record        // the first run to end, which all runs are compared with
	same      uint32         // runs with the same observations as the reference
	reported  bool
	aborts    int
}

// step is a step with the message that it sends, so that nothing is looked up during the play.
type step struct {
	*driverpb.Step
	message proto.Message
}

// newPlay prepares a script to be played. sent is the type of the messages that this side sends in the method.
func newPlay(id uint64, script *driverpb.Play, method *registry.Method, sent proto.Message, payload func(uint64) proto.Message) (*play, error) {
	p := &play{
		id: id, script: script, method: method,
		taken:  time.Now(),
		lanes:  make([][]step, len(script.Lanes)),
		frozen: make(chan struct{}),
		killed: make(chan struct{}),
	}
	receives := false
	for i, lane := range script.Lanes {
		p.lanes[i] = make([]step, len(lane.Steps))
		for j, s := range lane.Steps {
			p.lanes[i][j].Step = s
			switch kind := s.Kind.(type) {
			case *driverpb.Step_Send:
				message := payload(kind.Send)
				if err := checkPayload(message, sent); err != nil {
					return nil, fmt.Errorf("lane %d, step %d sends payload %d: %w", i, j, kind.Send, err)
				}
				p.lanes[i][j].message = message
			case *driverpb.Step_WaitFor:
				if !p.waits && !receives {
					p.reader = i
				}
				p.waits = true
			case *driverpb.Step_Receive, *driverpb.Step_ReceiveToEnd:
				p.reader, receives = i, true
			case nil:
				return nil, fmt.Errorf("lane %d, step %d is of a kind that this driver does not know", i, j)
			}
		}
	}
	return p, nil
}

func checkPayload(message, sent proto.Message) error {
	if message == nil {
		return errors.New("it was never given, or is closed")
	}
	if reflect.TypeOf(message) != reflect.TypeOf(sent) {
		return fmt.Errorf("it is a %s; this side of the method sends %s",
			message.ProtoReflect().Descriptor().FullName(), sent.ProtoReflect().Descriptor().FullName())
	}
	return nil
}

// times is how often the script is played.
func (p *play) times() int { return max(1, int(p.script.Repeat)) }

// begin makes the record of a new run.
func (p *play) begin() *record {
	r := &record{play: p}
	r.transcript.Arrived = true
	r.transcript.Lanes = emptyLanes(len(p.lanes))
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.arrivals == 0 {
		p.started = time.Now()
		p.first = r
	}
	p.arrivals++
	return r
}

// end records a run that is over, and reports the play when it was the last run.
func (p *play) end(r *record) {
	p.mu.Lock()
	p.finished++
	last := p.finished == p.times()
	if p.reference == nil {
		p.reference = r
	}
	if r == p.reference || sameObservations(&p.reference.transcript, &r.transcript) {
		p.same++
	}
	report := last && !p.reported
	p.reported = p.reported || report
	p.mu.Unlock()
	if report {
		p.report(&p.first.transcript, false)
	}
	if last {
		p.forget()
	}
}

// report sends the transcript. The caller makes sure that nobody writes to it any more.
func (p *play) report(transcript *driverpb.Transcript, aborted bool) {
	p.mu.Lock()
	started, same := p.started, p.same
	p.mu.Unlock()
	transcript.Aborted = aborted
	if p.script.Repeat > 0 {
		transcript.Completed = same
	}
	if p.script.ReportTimes {
		if started.IsZero() { // the call never came
			started = p.taken
		}
		transcript.BeganUs = uint64(started.UnixMicro())
	}
	if !started.IsZero() {
		transcript.ElapsedNs = uint64(time.Since(started))
	}
	p.send(&driverpb.Event{Id: p.id, Kind: &driverpb.Event_Transcript{Transcript: transcript}})
}

// abort freezes the play the first time and ends its RPCs the second time.
func (p *play) abort() {
	p.mu.Lock()
	p.aborts++
	aborts, first := p.aborts, p.first
	report := aborts == 1 && !p.reported
	p.reported = p.reported || report
	p.mu.Unlock()
	switch {
	case report:
		close(p.frozen)
		if first == nil {
			p.report(&driverpb.Transcript{Lanes: emptyLanes(len(p.lanes))}, true)
			return
		}
		first.freeze()
		p.report(&first.transcript, true)
	case aborts == 2:
		close(p.killed)
		p.cancel()
		p.forget()
	}
}

// abortUnlessArrived reports a server's play if its call has not come, and returns whether it reported.
func (p *play) abortUnlessArrived() bool {
	p.mu.Lock()
	gone := p.first == nil && !p.reported
	p.reported = p.reported || gone
	p.mu.Unlock()
	if gone {
		p.report(&driverpb.Transcript{Lanes: emptyLanes(len(p.lanes))}, false)
		p.forget()
	}
	return gone
}

func emptyLanes(count int) []*driverpb.Seen {
	lanes := make([]*driverpb.Seen, count)
	for i := range lanes {
		lanes[i] = new(driverpb.Seen)
	}
	return lanes
}

func (p *play) isFrozen() bool {
	select {
	case <-p.frozen:
		return true
	default:
		return false
	}
}

// tell sends a signal to the other side.
func (p *play) tell(name string) {
	p.send(&driverpb.Event{Id: p.id, Kind: &driverpb.Event_Signal{Signal: &driverpb.Signal{Play: p.id, Name: name}}})
}

// signal delivers a signal from the other side.
func (p *play) signal(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.signals == nil {
		p.signals = map[string]int{}
	}
	p.signals[name]++
	if p.signaled != nil {
		close(p.signaled)
		p.signaled = nil
	}
}

// take takes a signal if one with this name has arrived; else it returns a channel that the next arrival closes.
func (p *play) take(name string) (taken bool, next <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.signals[name] > 0 {
		p.signals[name]--
		return true, nil
	}
	if p.signaled == nil {
		p.signaled = make(chan struct{})
	}
	return false, p.signaled
}

// waitFor waits for a signal, for the end of the RPC (either channel; nil never ends it), or for an Abort.
func (p *play) waitFor(name string, ended, over <-chan struct{}) {
	for {
		taken, next := p.take(name)
		if taken {
			return
		}
		select {
		case <-next:
		case <-ended:
			return
		case <-over:
			return
		case <-p.frozen:
			return
		}
	}
}
