package main

// The protos that the driver is built with. A build lays a file over this one that imports the code generated from the
// tree under test; as it stands here, the driver knows the quick-start service.
import (
	_ "grpc-interop/go_impl/driven/greeter/v1"
	_ "grpc-interop/go_impl/internal/greeter/application"
)
