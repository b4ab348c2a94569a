package play

import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"grpc-interop/go_impl/internal/contract/driverpb"
	"grpc-interop/go_impl/internal/registry"
)

// transcode parses a message with its generated type and writes it again.
func transcode(order *driverpb.Transcode) (*driverpb.Message, error) {
	m, err := registry.NewMessage(order.Type)
	if err != nil {
		return nil, err
	}
	if order.FromJson {
		err = protojson.UnmarshalOptions{DiscardUnknown: order.IgnoreUnknown}.Unmarshal(order.Data, m)
	} else {
		err = proto.Unmarshal(order.Data, m)
	}
	if err != nil {
		return nil, err
	}
	described, err := describe(m, false, order.ToView)
	if err != nil {
		return nil, err
	}
	if order.ToJson {
		described.Json, err = toJSON(m, protojson.MarshalOptions{EmitDefaultValues: order.EmitZero})
	}
	return described, err
}
