"""What Go says of generated code, told of the element that it was generated from."""

import pytest
from buildtool.reasons import explain
from google.protobuf.descriptor_pb2 import DescriptorProto as Message
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File
from google.protobuf.descriptor_pb2 import MethodDescriptorProto as Method
from google.protobuf.descriptor_pb2 import ServiceDescriptorProto as Service

FILE = File(
    package="p.v1",
    message_type=[
        Message(name="ChatClient", field=[Field(name="proto_reflect")]),
        Message(name="M", nested_type=[Message(name="B")]),
        Message(name="M_B"),
    ],
    service=[Service(name="Chat", method=[Method(name="do"), Method(name="Do")])],
)

SAID = {
    "a.pb.go:1:6: ChatClient redeclared in this block": "p.v1.ChatClient",
    "a.pb.go:1:6: M_B redeclared in this block": "p.v1.M.B",
    "a.pb.go:1:2: field and method with the same name ProtoReflect": "p.v1.ChatClient.proto_reflect",
    "a_grpc.pb.go:1:2: duplicate method Do": "p.v1.Chat/do",
    "a_grpc.pb.go:1:2: ChatServer redeclared in this block": "p.v1.Chat",
    "message p.v1.M: message sets are not supported": "p.v1.M",
}


@pytest.mark.parametrize("said", SAID)
def test_the_element_comes_first_and_the_words_stay(said: str) -> None:
    element, text = explain(FILE, said)
    assert element == SAID[said]
    assert text.startswith(f"{element}: ")
    assert text.endswith(said)


def test_what_names_no_element_stays_as_it_is() -> None:
    assert explain(FILE, "imports a.proto, which Go cannot have") == ("", "imports a.proto, which Go cannot have")
