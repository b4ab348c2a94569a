// Command greeter-server serves the quick-start service on 127.0.0.1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc"

	greeterv1 "grpc-interop/go_impl/gen/greeter/v1"
	"grpc-interop/go_impl/internal/greeter"
)

func main() {
	port := uint64(50051)
	flag.Func("port", "TCP port; 0 lets the system choose (default 50051)", func(text string) (err error) {
		port, err = strconv.ParseUint(text, 10, 16)
		return err
	})
	interval := flag.Float64("interval", greeter.DefaultInterval.Seconds(), "seconds between two ticks of GetStream")
	flag.Parse()

	// From here on, signals stop the server gracefully, even before it has printed that it listens.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		var reason syscall.Errno
		if errors.As(err, &reason) {
			err = reason // without the operation that net puts in front
		}
		fmt.Fprintf(os.Stderr, "error: cannot listen on 127.0.0.1:%d: %v; choose another port with --port\n", port, err)
		os.Exit(1)
	}
	server := grpc.NewServer()
	greeterv1.RegisterGreeterServer(server, &greeter.Server{
		Interval: time.Duration(*interval * float64(time.Second)),
		Received: func(method, text string) { fmt.Println(method, text) },
	})
	stopped := make(chan struct{})
	go func() {
		<-ctx.Done()
		server.GracefulStop() // waits for calls in flight
		close(stopped)
	}()

	fmt.Printf("listening on %s\n", listener.Addr())
	// A signal may come before Serve, which then has nothing to do. That is not a failure.
	if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		log.Fatal(err)
	}
	<-stopped
}
