package contract

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

// mostPlays bounds how many plays are remembered, largestPlay the bytes of one: together at most 16 MiB, and as parsed
// messages a few times as much.
const (
	mostPlays   = 4096
	largestPlay = 4096
)

// commands parses commands. A harness plays a case with several drivers, so that the same play comes again and again
// under another id: its parsed form is remembered by its bytes, and shared. Parsing took a driver 8 µs of the 45 µs that
// a case of ten messages costs it.
type commands struct {
	plays map[string]*driverpb.Command // without id and resource
}

// parse returns a command. Its play is shared and must not be altered.
func (c *commands) parse(frame []byte) (*driverpb.Command, error) {
	id, resource, body := splitHead(frame)
	command := c.plays[string(body)]
	if command == nil {
		command = new(driverpb.Command)
		if err := proto.Unmarshal(body, command); err != nil {
			return nil, err
		}
		if command.Id != 0 || command.Resource != 0 { // the fields came in another order
			return command, proto.Unmarshal(frame, command)
		}
		c.remember(body, command)
	}
	return &driverpb.Command{
		Id: id, Resource: resource, Requires: command.Requires, Op: command.Op, Part: command.Part, More: command.More,
	}, nil
}

func (c *commands) remember(body []byte, command *driverpb.Command) {
	if command.GetCall() == nil && command.GetExpect() == nil || len(body) > largestPlay {
		return
	}
	if len(c.plays) >= mostPlays {
		clear(c.plays)
	}
	c.plays[string(body)] = command
}

// splitHead takes off the fields that differ between two commands with the same play, as far as they come first.
func splitHead(frame []byte) (id, resource uint64, body []byte) {
	for {
		number, kind, tag := protowire.ConsumeTag(frame)
		if tag < 0 || kind != protowire.VarintType || number > resourceField {
			return id, resource, frame
		}
		value, size := protowire.ConsumeVarint(frame[tag:])
		if size < 0 {
			return id, resource, frame
		}
		if number == idField {
			id = value
		} else {
			resource = value
		}
		frame = frame[tag+size:]
	}
}

// The numbers of Command's first two fields.
const (
	idField       protowire.Number = 1
	resourceField protowire.Number = 2
)
