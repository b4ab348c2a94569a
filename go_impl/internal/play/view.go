package play

import (
	"math"
	"sort"

	"google.golang.org/protobuf/reflect/protoreflect"

	"grpc-interop/go_impl/internal/contract/driverpb"
)

// viewOf reports a message as Go's reflection sees it: the fields that are present, by number.
func viewOf(m protoreflect.Message) *driverpb.View {
	view := &driverpb.View{Unknown: m.GetUnknown()}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		view.Fields = append(view.Fields, &driverpb.Field{
			Number: uint32(field.Number()),
			Values: fieldValues(field, value),
		})
		return true
	})
	sort.Slice(view.Fields, func(i, j int) bool { return view.Fields[i].Number < view.Fields[j].Number })
	return view
}

func fieldValues(field protoreflect.FieldDescriptor, value protoreflect.Value) []*driverpb.Value {
	switch {
	case field.IsMap():
		return mapValues(field, value.Map())
	case field.IsList():
		list := value.List()
		values := make([]*driverpb.Value, list.Len())
		for i := range values {
			values[i] = singleValue(field, list.Get(i))
		}
		return values
	default:
		return []*driverpb.Value{singleValue(field, value)}
	}
}

func mapValues(field protoreflect.FieldDescriptor, entries protoreflect.Map) []*driverpb.Value {
	keys := make([]protoreflect.MapKey, 0, entries.Len())
	entries.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, key)
		return true
	})
	sort.Slice(keys, func(i, j int) bool { return mapKeyLess(field.MapKey().Kind(), keys[i], keys[j]) })
	values := make([]*driverpb.Value, 0, 2*len(keys))
	for _, key := range keys {
		values = append(values, singleValue(field.MapKey(), key.Value()), singleValue(field.MapValue(), entries.Get(key)))
	}
	return values
}

// mapKeyLess orders map keys as Go's deterministic serialisation does.
func mapKeyLess(kind protoreflect.Kind, a, b protoreflect.MapKey) bool {
	switch kind {
	case protoreflect.BoolKind:
		return !a.Bool() && b.Bool()
	case protoreflect.StringKind:
		return a.String() < b.String()
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return a.Uint() < b.Uint()
	default:
		return a.Int() < b.Int()
	}
}

func singleValue(field protoreflect.FieldDescriptor, value protoreflect.Value) *driverpb.Value {
	switch field.Kind() {
	case protoreflect.BoolKind:
		var bit uint64
		if value.Bool() {
			bit = 1
		}
		return &driverpb.Value{Kind: &driverpb.Value_Uint{Uint: bit}}
	case protoreflect.EnumKind:
		return &driverpb.Value{Kind: &driverpb.Value_Int{Int: int64(value.Enum())}}
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return &driverpb.Value{Kind: &driverpb.Value_Uint{Uint: value.Uint()}}
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return &driverpb.Value{Kind: &driverpb.Value_FloatBits{FloatBits: math.Float64bits(value.Float())}}
	case protoreflect.StringKind:
		return &driverpb.Value{Kind: &driverpb.Value_Text{Text: []byte(value.String())}}
	case protoreflect.BytesKind:
		return &driverpb.Value{Kind: &driverpb.Value_Text{Text: value.Bytes()}}
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return &driverpb.Value{Kind: &driverpb.Value_Message{Message: viewOf(value.Message())}}
	default: // the remaining kinds are signed integers
		return &driverpb.Value{Kind: &driverpb.Value_Int{Int: value.Int()}}
	}
}
