// Command linked prints the proto files whose generated code every driver links, as a FileDescriptorSet. The go_package
// of each is the import path of that code. A tree under test that holds one of these files uses that code: Go refuses
// to register a file twice.
package main

import (
	"log"
	"os"
	"reflect"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "grpc-interop/go_impl/internal/play" // everything that a driver links beside the tree
)

func main() {
	places := map[string]string{}
	protoregistry.GlobalTypes.RangeMessages(func(message protoreflect.MessageType) bool {
		goType := reflect.TypeOf(message.Zero().Interface()).Elem()
		places[message.Descriptor().ParentFile().Path()] = goType.PkgPath()
		return true
	})
	var linked descriptorpb.FileDescriptorSet
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		described := protodesc.ToFileDescriptorProto(file)
		if place := places[file.Path()]; place != "" {
			options := new(descriptorpb.FileOptions)
			proto.Merge(options, described.GetOptions())
			described.Options = options
			described.Options.GoPackage = proto.String(place)
		}
		linked.File = append(linked.File, described)
		return true
	})
	bytes, err := proto.Marshal(&linked)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := os.Stdout.Write(bytes); err != nil {
		log.Fatal(err)
	}
}
