// Package application makes the hand-written Greeter the driver's answer to calls that no script is for.
package application

import (
	"time"

	"grpc-interop/go_impl/internal/greeter"
	"grpc-interop/go_impl/internal/registry"
)

// interval between GetStream's ticks. Short, because nobody reads along.
const interval = 10 * time.Millisecond

func init() {
	registry.AddApplication("greeter.v1.Greeter", func() any { return &greeter.Server{Interval: interval} })
}
