// Package application lets the hand-written Greeter answer the calls that no script serves.
package application

import (
	"grpc-interop/go_impl/internal/greeter"
	"grpc-interop/go_impl/internal/registry"
)

func init() {
	registry.AddApplication("greeter.v1.Greeter", func() any { return &greeter.Server{Interval: greeter.DefaultInterval} })
}
