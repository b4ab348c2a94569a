package application

import (
	"testing"

	"grpc-interop/go_impl/internal/greeter"
	"grpc-interop/go_impl/internal/registry"
)

// Whoever calls GetStream sees the ticks come one by one, at the pace of the server program.
func TestPaceIsThatOfTheProgram(t *testing.T) {
	server, ok := registry.NewApplication("greeter.v1.Greeter").(*greeter.Server)
	if !ok || server.Interval != greeter.DefaultInterval {
		t.Errorf("the application is %v, want one with an interval of %v", server, greeter.DefaultInterval)
	}
}
