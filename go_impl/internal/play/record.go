package play

import (
	"bytes"
	"log"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

// record holds the observations of a run of a play so far. Its lanes write to it at the same time, until an Abort
// freezes it: later observations are dropped.
type record struct {
	play *play

	mu         sync.Mutex
	transcript driverpb.Transcript
	frozen     bool
	ended      bool // `end` was observed
}

// freeze keeps the transcript as it is.
func (r *record) freeze() {
	r.mu.Lock()
	r.frozen = true
	r.mu.Unlock()
}

// change alters the transcript unless it is frozen.
func (r *record) change(alter func(*driverpb.Transcript)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.frozen {
		alter(&r.transcript)
	}
}

// done counts a step as done.
func (r *record) done(lane int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen {
		return
	}
	seen := r.transcript.Lanes[lane]
	seen.StepsDone++
	if r.play.script.ReportTimes {
		seen.DoneUs = append(seen.DoneUs, uint64(time.Since(r.play.started).Microseconds()))
	}
}

// message records a message of the other side.
func (r *record) message(lane int, m proto.Message) {
	script := r.play.script
	described, err := describe(m, script.ReportJson, script.ReportView)
	if err != nil {
		// A message that cannot be written as ProtoJSON (an Any of an unknown type) is still reported as bytes.
		log.Printf("play %d: a received %s has no ProtoJSON: %v", r.play.id, m.ProtoReflect().Descriptor().FullName(), err)
		described, _ = describe(m, false, script.ReportView)
	}
	r.observe(lane, &driverpb.Observation{Kind: &driverpb.Observation_Message{Message: described}})
}

var nothing = new(driverpb.Nothing)

// end records that there are no more messages. It is observed once, by whichever lane comes first.
func (r *record) end(lane int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen || r.ended {
		return
	}
	r.ended = true
	seen := r.transcript.Lanes[lane]
	seen.Observed = append(seen.Observed, &driverpb.Observation{Kind: &driverpb.Observation_End{End: nothing}})
}

// terminated records that the RPC was ended from outside. It is observed once per lane.
func (r *record) terminated(lane int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.transcript.Lanes[lane]
	if r.frozen || len(seen.Observed) > 0 && seen.Observed[len(seen.Observed)-1].GetTerminated() != nil {
		return
	}
	seen.Observed = append(seen.Observed, &driverpb.Observation{Kind: &driverpb.Observation_Terminated{Terminated: nothing}})
}

func (r *record) observe(lane int, observation *driverpb.Observation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen {
		return
	}
	seen := r.transcript.Lanes[lane]
	seen.Observed = append(seen.Observed, observation)
}

// sameObservations reports whether two runs of a script observed the same. It compares field by field, without
// reflection, because `repeat` does it after every call.
func sameObservations(a, b *driverpb.Transcript) bool {
	return slices.EqualFunc(a.Lanes, b.Lanes, func(a, b *driverpb.Seen) bool {
		return slices.EqualFunc(a.Observed, b.Observed, sameObservation)
	}) &&
		sameEntries(a.Request, b.Request) &&
		sameEntries(a.Initial, b.Initial) &&
		a.Status.GetCode() == b.Status.GetCode() &&
		a.Status.GetMessage() == b.Status.GetMessage() &&
		bytes.Equal(a.Status.GetDetails(), b.Status.GetDetails()) &&
		sameEntries(a.Status.GetTrailers(), b.Status.GetTrailers())
}

func sameObservation(a, b *driverpb.Observation) bool {
	message, other := a.GetMessage(), b.GetMessage()
	if message == nil || other == nil {
		return message == other && (a.GetEnd() == nil) == (b.GetEnd() == nil)
	}
	return bytes.Equal(message.Binary, other.Binary) && message.Json == other.Json
}

func sameEntries(a, b []*driverpb.Entry) bool {
	return slices.EqualFunc(a, b, func(a, b *driverpb.Entry) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
	})
}
