// Package contract carries the driver contract (proto/interop/driver/v1/driver.proto): commands come from the harness,
// events go to it, over one connection, in frames of at most 1 MiB.
package contract

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

// maxFrame is the contract's limit for one frame, in bytes; anything larger travels in parts.
const maxFrame = 1 << 20

// partSize leaves room in a frame for the fields around a part: an id (at most 11 bytes), a length and a flag.
const partSize = maxFrame - 64

// bufferSize of the reader. Commands are mostly small and come in bursts; 64 KiB take a burst with one system call.
const bufferSize = 64 << 10

// Connection is the driver's end of the contract. Read belongs to one goroutine; Send may be called from any.
type Connection struct {
	conn   net.Conn
	reader *bufio.Reader
	parts  map[uint64][]byte // the beginnings of commands that travel in parts
	commands

	mu      sync.Mutex
	changed sync.Cond // of queue, closed or failure
	queue   []byte    // frames not yet handed to the writer
	closed  bool
	failure error         // of the writer; nothing can be sent any more
	written chan struct{} // closed when the writer has ended
}

// Connect connects to an address as INTEROP_DRIVER_ADDRESS holds it: `unix:/path` or `tcp:127.0.0.1:port`.
func Connect(address string) (*Connection, error) {
	network, where, found := strings.Cut(address, ":")
	if !found || (network != "unix" && network != "tcp") {
		return nil, fmt.Errorf("INTEROP_DRIVER_ADDRESS is %q; expected unix:/path or tcp:127.0.0.1:port "+
			"(the harness sets it when it starts a driver)", address)
	}
	conn, err := net.Dial(network, where)
	if err != nil {
		return nil, fmt.Errorf("connect to the harness: %w", err)
	}
	return New(conn), nil
}

// New speaks the contract on an open connection.
func New(conn net.Conn) *Connection {
	c := &Connection{
		conn:     conn,
		reader:   bufio.NewReaderSize(conn, bufferSize),
		parts:    map[uint64][]byte{},
		commands: commands{plays: map[string]*driverpb.Command{}},
		written:  make(chan struct{}),
	}
	c.changed.L = &c.mu
	go c.write()
	return c
}

// Read returns the next command, put together if it came in parts. It returns io.EOF when the harness has closed the
// connection between two frames.
func (c *Connection) Read() (*driverpb.Command, error) {
	for {
		command, err := c.readCommand()
		if err != nil {
			return nil, err
		}
		if !command.More && len(command.Part) == 0 {
			return command, nil
		}
		whole := append(c.parts[command.Id], command.Part...)
		if command.More {
			c.parts[command.Id] = whole
			continue
		}
		delete(c.parts, command.Id)
		command = new(driverpb.Command)
		if err := proto.Unmarshal(whole, command); err != nil {
			return nil, fmt.Errorf("%d bytes in parts from the harness are no Command: %w", len(whole), err)
		}
		return command, nil
	}
}

// readCommand returns the command in the next frame, or a part of a command.
func (c *Connection) readCommand() (*driverpb.Command, error) {
	frame, err := c.readFrame()
	if err != nil {
		return nil, err
	}
	command, err := c.parse(frame)
	if err != nil {
		return nil, fmt.Errorf("a frame of %d bytes from the harness is no Command: %w", len(frame), err)
	}
	return command, nil
}

// readFrame returns the content of the next frame, which may be overwritten by the one after it.
func (c *Connection) readFrame() ([]byte, error) {
	size, err := binary.ReadUvarint(c.reader)
	if err == io.EOF {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("read the length of a frame from the harness: %w", err)
	}
	if size > maxFrame {
		return nil, fmt.Errorf("the harness announced a frame of %d bytes; the contract allows %d", size, maxFrame)
	}
	var frame []byte
	if size <= bufferSize {
		frame, err = c.reader.Peek(int(size))
		_, _ = c.reader.Discard(len(frame)) // the bytes were just peeked at
	} else {
		frame = make([]byte, size)
		_, err = io.ReadFull(c.reader, frame)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("read a frame of %d bytes from the harness: %w", size, err)
	}
	return frame, nil
}

// Send queues an event. It never waits for the harness to read: a driver that waited there could not read either.
func (c *Connection) Send(event *driverpb.Event) {
	content, err := proto.Marshal(event)
	if err != nil {
		// Only a text that is not UTF-8 leads here; report that instead of the event.
		content, _ = proto.Marshal(&driverpb.Event{Id: event.Id, Kind: &driverpb.Event_Error{Error: &driverpb.Error{
			Kind: driverpb.Error_KIND_INTERNAL, Text: strings.ToValidUTF8(err.Error(), "?"),
		}}})
	}
	var frames []byte
	if len(content) > maxFrame {
		frames = appendParts(nil, event.Id, content)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		return // Read reports the lost connection
	}
	if frames != nil {
		c.queue = append(c.queue, frames...)
	} else {
		c.queue = appendFrame(c.queue, content)
	}
	c.changed.Signal()
}

func appendFrame(to, content []byte) []byte {
	return append(binary.AppendUvarint(to, uint64(len(content))), content...)
}

func appendParts(to []byte, id uint64, content []byte) []byte {
	for len(content) > 0 {
		size := min(partSize, len(content))
		part := &driverpb.Event{Id: id, Part: content[:size], More: size < len(content)}
		content = content[size:]
		bytes, err := proto.Marshal(part)
		if err != nil {
			panic(err) // a message of bytes and numbers can always be written
		}
		to = appendFrame(to, bytes)
	}
	return to
}

// write hands the queue to the system whenever it is not empty: the busier the driver, the larger the writes.
func (c *Connection) write() {
	defer close(c.written)
	var spare []byte
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for len(c.queue) == 0 && !c.closed {
			c.changed.Wait()
		}
		if len(c.queue) == 0 {
			return
		}
		frames := c.queue
		c.queue = spare[:0]
		c.mu.Unlock()
		_, err := c.conn.Write(frames)
		c.mu.Lock()
		if err != nil {
			c.failure = err
			return
		}
		spare = frames
		if cap(spare) > maxFrame {
			spare = nil // a huge burst should not keep its memory for ever
		}
	}
}

// Close sends what is queued and closes the connection.
func (c *Connection) Close() error {
	c.mu.Lock()
	c.closed = true
	c.changed.Signal()
	c.mu.Unlock()
	<-c.written
	return c.conn.Close()
}
