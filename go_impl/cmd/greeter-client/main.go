// Command greeter-client calls the quick-start service and prints the text of each message as it arrives.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	greeterv1 "grpc-interop/go_impl/gen/greeter/v1"
)

const usage = `usage: greeter-client [--target HOST:PORT] [--timeout SECONDS] COMMAND

  say-hello NAME        unary: one greeting
  get-stream SYMBOL     server streaming: ten price ticks
  put-stream [ITEM...]  client streaming: sends the items, prints the summary
  all-stream [TEXT...]  bidirectional: prints each answer while it goes on sending

Without items, put-stream and all-stream send each line of stdin at once, and end with it.
`

func main() {
	target := flag.String("target", "127.0.0.1:50051", "where the server listens")
	timeout := flag.Float64("timeout", 0, "seconds until the call is given up; 0 never gives up")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()

	connection, err := grpc.NewClient(*target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	defer connection.Close()
	ctx := context.Background()
	if *timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*timeout*float64(time.Second)))
		defer cancel()
	}

	if err := run(ctx, greeterv1.NewGreeterClient(connection), flag.Args()); err != nil {
		failed := status.Convert(err)
		fmt.Fprintf(os.Stderr, "error: %s: %s\n", code.Code(failed.Code()), failed.Message())
		os.Exit(1)
	}
}

func run(ctx context.Context, client greeterv1.GreeterClient, arguments []string) error {
	command, items := "", arguments
	if len(arguments) > 0 {
		command, items = arguments[0], arguments[1:]
	}
	switch {
	case command == "say-hello" && len(items) == 1:
		return sayHello(ctx, client, items[0])
	case command == "get-stream" && len(items) == 1:
		return getStream(ctx, client, items[0])
	case command == "put-stream":
		return putStream(ctx, client, items)
	case command == "all-stream":
		return allStream(ctx, client, items)
	}
	flag.Usage()
	os.Exit(2)
	return nil
}

func sayHello(ctx context.Context, client greeterv1.GreeterClient, name string) error {
	reply, err := client.SayHello(ctx, &greeterv1.HelloRequest{Name: name})
	if err != nil {
		return err
	}
	fmt.Println(reply.GetMessage())
	return nil
}

func getStream(ctx context.Context, client greeterv1.GreeterClient, symbol string) error {
	stream, err := client.GetStream(ctx, &greeterv1.StreamReqData{Data: symbol})
	if err != nil {
		return err
	}
	return printAll(stream.Recv)
}

func putStream(ctx context.Context, client greeterv1.GreeterClient, items []string) error {
	stream, err := client.PutStream(ctx)
	if err != nil {
		return err
	}
	if err := sendAll(items, stream.Send); err != nil {
		return err
	}
	summary, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	fmt.Println(summary.GetData())
	return nil
}

func allStream(ctx context.Context, client greeterv1.GreeterClient, texts []string) error {
	stream, err := client.AllStream(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { // both directions flow at the same time
		sent <- sendAll(texts, stream.Send)
		_ = stream.CloseSend()
	}()
	if err := printAll(stream.Recv); err != nil {
		return err
	}
	select {
	case err := <-sent:
		return err
	default: // the server has ended the call before stdin did
		return nil
	}
}

// printAll prints messages as they arrive, until the server ends the stream.
func printAll(receive func() (*greeterv1.StreamResData, error)) error {
	for {
		message, err := receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Println(message.GetData())
	}
}

// sendAll sends the items, or each line of stdin if there are none. A call that the server has ended is not an error
// here: receiving reports how it ended.
func sendAll(items []string, send func(*greeterv1.StreamReqData) error) error {
	for item, err := range orLines(items) {
		if err != nil {
			return err
		}
		if err := send(&greeterv1.StreamReqData{Data: item}); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

func orLines(items []string) func(yield func(string, error) bool) {
	return func(yield func(string, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
		if len(items) > 0 {
			return
		}
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			if !yield(lines.Text(), nil) {
				return
			}
		}
		if lines.Err() != nil {
			yield("", fmt.Errorf("read stdin: %w", lines.Err()))
		}
	}
}
