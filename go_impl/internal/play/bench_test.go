package play_test

import (
	"testing"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

// inFlight is how many plays the benchmarks keep going, as the harness' engine does.
const inFlight = 32

// BenchmarkPlays measures the whole cost of plays for a driver, the contract included: the rest when the harness costs
// nothing.
func BenchmarkPlays(b *testing.B) {
	tenBack := []*driverpb.Step{sendPayload(requests)}
	tenForth := []*driverpb.Step{receive}
	for range 9 {
		tenBack = append(tenBack, receive, sendPayload(requests))
		tenForth = append(tenForth, sendPayload(replies), receive)
	}
	tenBack = append(tenBack, receive, halfClose, receiveToEnd)
	tenForth = append(tenForth, sendPayload(replies), receiveToEnd, ok)
	for name, c := range map[string]struct{ client, server *driverpb.Play }{
		"unary":     {script(unary, sendPayload(helloName), receiveToEnd), script(unary, receive, sendPayload(helloReply), ok)},
		"ping_pong": {script(talk, tenBack...), script(talk, tenForth...)},
	} {
		b.Run(name, func(b *testing.B) {
			p := startPair(b, &driverpb.Serve{}, nil)
			slots := make(chan struct{}, inFlight)
			go func() {
				for range b.N {
					slots <- struct{}{}
					id := p.next()
					p.expect(id, c.server)
					p.call(id, c.client)
				}
			}()
			b.ResetTimer()
			for range b.N {
				p.client.awaitTranscript()
				p.server.awaitTranscript()
				<-slots
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "plays/s")
		})
	}
}

func (h *harness) awaitTranscript() {
	h.await("a transcript", func(e *driverpb.Event) bool { return e.GetTranscript() != nil })
}
