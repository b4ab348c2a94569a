package play

import (
	"bytes"
	"encoding/json"
	"slices"
	"sort"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

const (
	// caseKey is the request metadata that says which script serves a call.
	caseKey = "x-interop-case"
	// reportedPrefix begins the metadata keys that are reported unasked; runtimes add others of their own.
	reportedPrefix = "x-interop-"
)

var deterministic = proto.MarshalOptions{Deterministic: true, AllowPartial: true}

// describe reports a message as the generated type holds it.
func describe(m proto.Message, asJSON, asView bool) (*driverpb.Message, error) {
	binary, err := deterministic.Marshal(m)
	if err != nil {
		return nil, err
	}
	described := &driverpb.Message{Binary: binary}
	if asJSON {
		if described.Json, err = toJSON(m, protojson.MarshalOptions{AllowPartial: true}); err != nil {
			return nil, err
		}
	}
	if asView {
		described.View = viewOf(m.ProtoReflect())
	}
	return described, nil
}

// toJSON writes ProtoJSON without the spaces that Go's package adds at random so that nobody relies on its form.
func toJSON(m proto.Message, options protojson.MarshalOptions) (string, error) {
	text, err := options.Marshal(m)
	if err != nil {
		return "", err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return "", err
	}
	return compact.String(), nil
}

// reported picks the metadata that a transcript holds: the harness' own keys and the keys in also, sorted by key, each
// key's entries in their order.
func reported(md metadata.MD, also []string) []*driverpb.Entry {
	var entries []*driverpb.Entry
	for key, values := range md {
		own := key != caseKey && strings.HasPrefix(key, reportedPrefix)
		if !own && !slices.Contains(also, key) {
			continue
		}
		for _, value := range values {
			entries = append(entries, &driverpb.Entry{Key: key, Value: []byte(value)})
		}
	}
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].Key < entries[j].Key })
	return entries
}

// toMetadata converts a script's metadata into the runtime's.
func toMetadata(entries []*driverpb.Entry) metadata.MD {
	if len(entries) == 0 {
		return nil
	}
	md := make(metadata.MD, len(entries))
	for _, entry := range entries {
		md.Append(entry.Key, string(entry.Value))
	}
	return md
}

// describeStatus reports how an RPC ended, from the error that the stub returned; nil is OK. The keys in also are
// reported from the trailers, too.
func describeStatus(err error, trailers metadata.MD, also []string) *driverpb.Status {
	described := &driverpb.Status{Trailers: reported(trailers, also)}
	if err == nil {
		return described
	}
	seen := status.Convert(err)
	described.Code = int32(seen.Code())
	described.Message = strings.ToValidUTF8(seen.Message(), "\uFFFD")
	if whole := seen.Proto(); len(whole.GetDetails()) > 0 {
		if details, err := deterministic.Marshal(whole); err == nil {
			described.Details = details
		}
	}
	return described
}

// toError converts a script's status into the error that a handler returns; nil for OK.
func toError(script *driverpb.Status) error {
	if codes.Code(script.Code) == codes.OK {
		return nil
	}
	whole := status.New(codes.Code(script.Code), script.Message).Proto()
	if len(script.Details) > 0 {
		if err := proto.Unmarshal(script.Details, whole); err != nil {
			return status.Errorf(codes.Internal, "the script's status details are no google.rpc.Status: %v", err)
		}
		whole.Code, whole.Message = script.Code, script.Message
	}
	return status.FromProto(whole).Err()
}
