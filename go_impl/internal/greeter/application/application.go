// Package application makes the hand-written Greeter the driver's answer to calls that no script is for.
package application

import (
	"grpc-interop/go_impl/internal/greeter"
	"grpc-interop/go_impl/internal/registry"
)

func init() {
	registry.AddApplication("greeter.v1.Greeter", func() any { return &greeter.Server{Interval: greeter.DefaultInterval} })
}
