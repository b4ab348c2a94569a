package contract_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract"
	"grpc-interop/go_impl/internal/contract/driverpb"
)

// large is more than two frames.
var large = bytes.Repeat([]byte("0123456789abcdef"), 150_000)

func connect(t *testing.T) (*contract.Connection, net.Conn) {
	t.Helper()
	driver, harness := net.Pipe()
	connection := contract.New(driver)
	t.Cleanup(func() {
		harness.Close()
		connection.Close()
	})
	return connection, harness
}

func write(t *testing.T, to io.Writer, messages ...proto.Message) {
	t.Helper()
	go func() {
		for _, message := range messages {
			if _, err := protodelim.MarshalTo(to, message); err != nil {
				t.Error(err)
			}
		}
	}()
}

// TestReadsCommandsInOrder reads the commands that were sent, and io.EOF when the harness is gone.
func TestReadsCommandsInOrder(t *testing.T) {
	connection, harness := connect(t)
	write(t, harness, &driverpb.Command{Id: 1}, &driverpb.Command{Id: 2, Requires: []string{"view"}})
	for id := uint64(1); id <= 2; id++ {
		command, err := connection.Read()
		if err != nil || command.Id != id {
			t.Fatalf("read %v, %v; want command %d", command, err, id)
		}
	}
	harness.Close()
	if _, err := connection.Read(); err != io.EOF {
		t.Fatalf("read gave %v after the end; want io.EOF", err)
	}
}

// TestPutsPartsTogether joins parts by their id, also when the parts of two commands alternate.
func TestPutsPartsTogether(t *testing.T) {
	connection, harness := connect(t)
	whole := &driverpb.Command{Id: 7, Op: &driverpb.Command_Payload{Payload: &driverpb.Payload{Type: "a.B", Binary: large}}}
	content, err := proto.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	const million = 1_000_000
	write(t, harness,
		&driverpb.Command{Id: 7, Part: content[:1000], More: true},
		&driverpb.Command{Id: 8, Part: []byte{8}, More: true},
		&driverpb.Command{Id: 7, Part: content[1000:million], More: true},
		&driverpb.Command{Id: 8, Part: []byte{8}},
		&driverpb.Command{Id: 7, Part: content[million : 2*million], More: true},
		&driverpb.Command{Id: 7, Part: content[2*million:]},
	)
	if command, err := connection.Read(); err != nil || command.Id != 8 {
		t.Fatalf("read %v, %v; want command 8", command, err)
	}
	command, err := connection.Read()
	if err != nil || !proto.Equal(command, whole) {
		t.Fatalf("the command was not put together as it was sent: %v", err)
	}
}

// TestRefusesAFrameThatIsTooLong names the size and the limit, and does not try to read it.
func TestRefusesAFrameThatIsTooLong(t *testing.T) {
	connection, harness := connect(t)
	go harness.Write(binary.AppendUvarint(nil, 1<<20+1))
	if _, err := connection.Read(); err == nil || !strings.Contains(err.Error(), "1048577") {
		t.Fatalf("read gave %v; want an error with the frame's size", err)
	}
}

// TestSendsLargeEventsInParts keeps every frame within the limit; joined, the parts are the event.
func TestSendsLargeEventsInParts(t *testing.T) {
	connection, harness := connect(t)
	event := &driverpb.Event{Id: 5, Kind: &driverpb.Event_Transcoded{Transcoded: &driverpb.Message{Binary: large}}}
	connection.Send(event)

	reader := bufio.NewReader(harness)
	var content []byte
	for more := true; more; {
		part := new(driverpb.Event)
		if err := (protodelim.UnmarshalOptions{MaxSize: 1 << 20}).UnmarshalFrom(reader, part); err != nil {
			t.Fatal(err)
		}
		if part.Id != 5 || part.Kind != nil {
			t.Fatalf("a part of event 5 is %v", part)
		}
		content = append(content, part.Part...)
		more = part.More
	}
	joined := new(driverpb.Event)
	if err := proto.Unmarshal(content, joined); err != nil || !proto.Equal(joined, event) {
		t.Fatalf("the parts do not make up the event: %v", err)
	}
}

// TestSendDoesNotWaitForTheReader lets a driver go on while the harness reads nothing.
func TestSendDoesNotWaitForTheReader(t *testing.T) {
	connection, harness := connect(t)
	sent := make(chan struct{})
	go func() {
		for range 10 {
			connection.Send(&driverpb.Event{Kind: &driverpb.Event_Transcoded{Transcoded: &driverpb.Message{Binary: large}}})
		}
		close(sent)
	}()
	select {
	case <-sent:
	case <-time.After(10 * time.Second):
		t.Fatal("Send waited although nobody read")
	}
	go io.Copy(io.Discard, harness) // Close sends what is queued
}
