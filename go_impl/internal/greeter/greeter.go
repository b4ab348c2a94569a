// Package greeter implements the quick-start service: one method for each of gRPC's four kinds.
package greeter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/status"

	greeterv1 "grpc-interop/go_impl/gen/greeter/v1"
)

// ticks is how many prices GetStream sends.
const ticks = 10

// DefaultInterval is the time between two of them, for the server program and for the driver's application: a person
// who calls either sees them come one by one.
const DefaultInterval = time.Second

// Server implements greeter.v1.Greeter.
type Server struct {
	greeterv1.UnimplementedGreeterServer

	// Interval is the time between two ticks of GetStream.
	Interval time.Duration
	// Received is called with every message as it arrives. It may be nil.
	Received func(method, text string)
}

// SayHello answers one request with one reply.
func (s *Server) SayHello(_ context.Context, request *greeterv1.HelloRequest) (*greeterv1.HelloReply, error) {
	s.received("SayHello", request.GetName())
	return &greeterv1.HelloReply{Message: "Hello, " + request.GetName()}, nil
}

// GetStream sends ten price ticks of the requested symbol, the first at once, then one per interval.
func (s *Server) GetStream(request *greeterv1.StreamReqData, stream greeterv1.Greeter_GetStreamServer) error {
	s.received("GetStream", request.GetData())
	price := 2000 + 100*rand.Float64()
	for i := 1; i <= ticks; i++ {
		if i > 1 {
			select {
			case <-time.After(s.Interval):
			case <-stream.Context().Done(): // the client cancelled, or its deadline passed: nobody is listening
				return status.FromContextError(stream.Context().Err()).Err()
			}
		}
		tick := fmt.Sprintf("%s %d/%d %.2f", request.GetData(), i, ticks, price)
		if err := stream.Send(&greeterv1.StreamResData{Data: tick}); err != nil {
			return err
		}
		price += rand.Float64() - 0.5
	}
	return nil
}

// PutStream takes items until the client half-closes, then answers once with their number and the last item.
func (s *Server) PutStream(stream greeterv1.Greeter_PutStreamServer) error {
	count, last := 0, ""
	for {
		item, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		s.received("PutStream", item.GetData())
		count++
		last = item.GetData()
	}
	summary := fmt.Sprintf("%d items", count)
	if count > 0 {
		summary += ", last " + last
	}
	return stream.SendAndClose(&greeterv1.StreamResData{Data: summary})
}

// AllStream answers each message while the client goes on talking, and ends when the client has half-closed.
func (s *Server) AllStream(stream greeterv1.Greeter_AllStreamServer) error {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.received("AllStream", message.GetData())
		if err := stream.Send(&greeterv1.StreamResData{Data: "echo " + message.GetData()}); err != nil {
			return err
		}
	}
}

func (s *Server) received(method, text string) {
	if s.Received != nil {
		s.Received(method, text)
	}
}
