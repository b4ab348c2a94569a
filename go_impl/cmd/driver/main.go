// Command driver is the Go implementation's driver: it plays gRPC clients and servers as the harness says, through
// the code generated from the protos that it was built with (see tree.go).
package main

import (
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"syscall"

	"grpc-interop/go_impl/internal/contract"
	"grpc-interop/go_impl/internal/play"
)

// gcPercent trades memory for speed. A driver makes much short-lived garbage beside a small heap; collecting it at the
// default of 100 takes a sixth of its time.
const gcPercent = 400

func main() {
	log.SetFlags(log.Lmicroseconds)
	debug.SetGCPercent(gcPercent)
	go printStacks()
	connection, err := contract.Connect(os.Getenv("INTEROP_DRIVER_ADDRESS"))
	if err != nil {
		log.Fatal(err)
	}
	go func() { // stdin ends when the driver shall stop, also when the harness was killed
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if err := play.NewDriver(connection).Run(); err != nil {
		log.Fatal(err)
	}
}

// printStacks answers each SIGQUIT with the stacks of all goroutines. Go's own handler would end the driver, and so
// the cases that do not hang.
func printStacks() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGQUIT)
	for range asked {
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
	}
}
