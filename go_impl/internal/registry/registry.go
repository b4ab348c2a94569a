// Package registry holds the services that the driver was built with. Generated code (protoc-gen-go-interop) adds them
// when the program starts; nothing is added later, so reading needs no lock.
package registry

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Service is one service of the protos, with the typed code that serves and calls it.
type Service struct {
	Name string // full name: `greeter.v1.Greeter`

	// Register offers the service on a server. Every call goes to host; application is the hand-written
	// implementation of the service, or nil.
	Register func(to grpc.ServiceRegistrar, host Host, application any)

	Methods []*Method
}

// Method is one RPC of a service. Exactly one of Call and Open is set: Call of unary methods, Open of all others.
type Method struct {
	Name    string        // `/greeter.v1.Greeter/SayHello`
	Request proto.Message // a nil pointer of the request's generated type
	Reply   proto.Message // a nil pointer of the response's generated type

	ClientStreams, ServerStreams bool

	// Call makes a unary call through the generated stub.
	Call func(ctx context.Context, over grpc.ClientConnInterface, request proto.Message, options ...grpc.CallOption) (proto.Message, error)

	// Open begins a streaming call through the generated stub. Server-streaming calls send the request with it; the
	// others ignore it.
	Open func(ctx context.Context, over grpc.ClientConnInterface, request proto.Message, options ...grpc.CallOption) (ClientStream, error)
}

// ClientStream is a generated client stream, with its typed functions made generic.
type ClientStream struct {
	grpc.ClientStream
	Send    func(proto.Message) error     // nil if the client does not stream
	Receive func() (proto.Message, error) // of a client-streaming method it half-closes first, as the stub does
}

// ServerCall is a call that has reached a generated servicer.
type ServerCall struct {
	Method  *Method
	Context context.Context
	Stream  grpc.ServerStream // nil for unary methods
	Request proto.Message     // the request of a client that does not stream, else nil

	Receive func() (proto.Message, error) // nil if the client does not stream
	Send    func(proto.Message) error     // nil for unary methods

	// Application lets the hand-written implementation answer; nil if there is none.
	Application func() (proto.Message, error)
}

// Host takes the calls that reach a server.
type Host interface {
	// Handle serves the call. The message is the reply of a unary method; other methods have sent theirs already.
	Handle(call *ServerCall) (proto.Message, error)
}

var (
	services     []Service
	methods      = map[string]*Method{}
	applications = map[string]func() any{}
)

// Add registers a service. Generated code calls it once for each service.
func Add(service Service) {
	services = append(services, service)
	for _, method := range service.Methods {
		methods[method.Name] = method
	}
}

// AddApplication registers the hand-written implementation of a service. Every server gets its own.
func AddApplication(service string, implementation func() any) {
	applications[service] = implementation
}

// Services returns all services.
func Services() []Service { return services }

// FindMethod returns the method with a name such as `/greeter.v1.Greeter/SayHello`, or nil.
func FindMethod(name string) *Method { return methods[name] }

// NewApplication returns a hand-written implementation of the service with this full name, or nil if there is none.
func NewApplication(service string) any {
	if implementation := applications[service]; implementation != nil {
		return implementation()
	}
	return nil
}

// NewMessage returns an empty message of the generated type with this full name.
func NewMessage(name string) (proto.Message, error) {
	found, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		return nil, fmt.Errorf("no message type %q was generated into this driver: %w", name, err)
	}
	return found.New().Interface(), nil
}
