package play

import (
	"sync"

	"google.golang.org/protobuf/proto"
)

// readAhead receives from a stream while no lane does. grpc-go tells a client that its RPC has ended only when it reads,
// and a `wait_for` must end with the RPC. So from the first `wait_for` on during which no other lane reads, messages are
// received in the background and kept for the receiving steps.
type readAhead struct {
	mu       sync.Mutex
	changed  sync.Cond
	messages []proto.Message
	err      error // after the last message
}

// startReadAhead calls receive until it fails, then over.
func startReadAhead(receive func() (proto.Message, error), over func()) *readAhead {
	a := new(readAhead)
	a.changed.L = &a.mu
	go func() {
		for {
			m, err := receive()
			a.mu.Lock()
			if err != nil {
				a.err = err
			} else {
				a.messages = append(a.messages, m)
			}
			a.changed.Signal()
			a.mu.Unlock()
			if err != nil {
				over()
				return
			}
		}
	}()
	return a
}

// next returns the next message, or the error of receive.
func (a *readAhead) next() (proto.Message, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.messages) == 0 && a.err == nil {
		a.changed.Wait()
	}
	if len(a.messages) == 0 {
		return nil, a.err
	}
	m := a.messages[0]
	a.messages = a.messages[1:]
	return m, nil
}
