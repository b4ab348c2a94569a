package contract_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

func call(id, resource uint64, method string) *driverpb.Command {
	return &driverpb.Command{
		Id: id, Resource: resource, Requires: []string{"lanes"},
		Op: &driverpb.Command_Call{Call: &driverpb.Play{Method: method, Lanes: []*driverpb.Lane{{Steps: []*driverpb.Step{
			{Kind: &driverpb.Step_Send{Send: 7}},
		}}}}},
	}
}

// TestReadsAPlayAgainUnderAnotherID: the id and the resource are the command's own, and everything else is as written,
// whether the same play came before or a play that differs in a byte.
func TestReadsAPlayAgainUnderAnotherID(t *testing.T) {
	connection, harness := connect(t)
	expect := call(5, 9, "/a")
	expect.Op = &driverpb.Command_Expect{Expect: expect.GetCall()}
	written := []proto.Message{
		call(1, 2, "/a"), call(3, 4, "/a"), call(300_000, 4, "/a"), call(5, 4, "/b"), expect, call(6, 0, "/a"),
		call(7, 2, strings.Repeat("long", 5_000)), call(8, 2, strings.Repeat("long", 5_000)), call(9, 2, strings.Repeat("long", 30_000)),
	}
	write(t, harness, written...)
	for _, want := range written {
		if got, err := connection.Read(); err != nil || !proto.Equal(got, want) {
			t.Fatalf("read %v, %v; want %v", got, err, want)
		}
	}
}

// TestReadsMorePlaysThanItRemembers, twice.
func TestReadsMorePlaysThanItRemembers(t *testing.T) {
	connection, harness := connect(t)
	var written []proto.Message
	for id := range uint64(5_000) {
		written = append(written, call(id+1, 2, "/"+strings.Repeat("x", int(id))))
	}
	written = slices.Concat(written[:2_000:2_000], written)
	write(t, harness, written...)
	for _, want := range written {
		if got, err := connection.Read(); err != nil || !proto.Equal(got, want) {
			t.Fatalf("read %v, %v; want %v", got, err, want)
		}
	}
}

// TestReadsFieldsInAnyOrder: an id that comes last belongs to its own command alone.
func TestReadsFieldsInAnyOrder(t *testing.T) {
	connection, harness := connect(t)
	body, err := proto.Marshal(call(0, 0, "/a"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for id := uint64(1); id <= 3; id++ {
			command := protowire.AppendVarint(protowire.AppendTag(slices.Clone(body), 1, protowire.VarintType), id)
			if _, err := harness.Write(append(protowire.AppendVarint(nil, uint64(len(command))), command...)); err != nil {
				t.Error(err)
			}
		}
	}()
	for id := uint64(1); id <= 3; id++ {
		if got, err := connection.Read(); err != nil || !proto.Equal(got, call(id, 0, "/a")) {
			t.Fatalf("read %v, %v; want command %d", got, err, id)
		}
	}
}

// TestRefusesACutFrame, and a frame that does not hold a command.
func TestRefusesACutFrame(t *testing.T) {
	for name, sent := range map[string]string{"cut": "\x05\x08\x01", "no command": "\x04\x08\x01\xff\xff"} {
		t.Run(name, func(t *testing.T) {
			connection, harness := connect(t)
			go func() {
				_, _ = io.WriteString(harness, sent)
				harness.Close()
			}()
			if got, err := connection.Read(); err == nil || err == io.EOF || !strings.Contains(err.Error(), "frame of") {
				t.Fatalf("read %v, %v; want an error about the frame", got, err)
			}
		})
	}
}
