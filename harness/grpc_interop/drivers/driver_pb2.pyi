from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Command(_message.Message):
    __slots__ = ("id", "resource", "requires", "part", "more", "payload", "serve", "dial", "close", "expect", "call", "abort", "signal", "transcode")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SERVE_FIELD_NUMBER: _ClassVar[int]
    DIAL_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    EXPECT_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    ABORT_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    TRANSCODE_FIELD_NUMBER: _ClassVar[int]
    id: int
    resource: int
    requires: _containers.RepeatedScalarFieldContainer[str]
    part: bytes
    more: bool
    payload: Payload
    serve: Serve
    dial: Dial
    close: Close
    expect: Play
    call: Play
    abort: Abort
    signal: Signal
    transcode: Transcode
    def __init__(self, id: _Optional[int] = ..., resource: _Optional[int] = ..., requires: _Optional[_Iterable[str]] = ..., part: _Optional[bytes] = ..., more: _Optional[bool] = ..., payload: _Optional[_Union[Payload, _Mapping]] = ..., serve: _Optional[_Union[Serve, _Mapping]] = ..., dial: _Optional[_Union[Dial, _Mapping]] = ..., close: _Optional[_Union[Close, _Mapping]] = ..., expect: _Optional[_Union[Play, _Mapping]] = ..., call: _Optional[_Union[Play, _Mapping]] = ..., abort: _Optional[_Union[Abort, _Mapping]] = ..., signal: _Optional[_Union[Signal, _Mapping]] = ..., transcode: _Optional[_Union[Transcode, _Mapping]] = ...) -> None: ...

class Payload(_message.Message):
    __slots__ = ("type", "binary")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    BINARY_FIELD_NUMBER: _ClassVar[int]
    type: str
    binary: bytes
    def __init__(self, type: _Optional[str] = ..., binary: _Optional[bytes] = ...) -> None: ...

class Serve(_message.Message):
    __slots__ = ("options", "port", "application")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    options: Options
    port: int
    application: bool
    def __init__(self, options: _Optional[_Union[Options, _Mapping]] = ..., port: _Optional[int] = ..., application: _Optional[bool] = ...) -> None: ...

class Dial(_message.Message):
    __slots__ = ("target", "options")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    target: str
    options: Options
    def __init__(self, target: _Optional[str] = ..., options: _Optional[_Union[Options, _Mapping]] = ...) -> None: ...

class Options(_message.Message):
    __slots__ = ("max_receive_bytes", "compression", "tls", "keepalive", "service_config")
    MAX_RECEIVE_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMPRESSION_FIELD_NUMBER: _ClassVar[int]
    TLS_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    max_receive_bytes: int
    compression: str
    tls: Tls
    keepalive: Keepalive
    service_config: str
    def __init__(self, max_receive_bytes: _Optional[int] = ..., compression: _Optional[str] = ..., tls: _Optional[_Union[Tls, _Mapping]] = ..., keepalive: _Optional[_Union[Keepalive, _Mapping]] = ..., service_config: _Optional[str] = ...) -> None: ...

class Tls(_message.Message):
    __slots__ = ("roots", "chain", "key")
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    roots: bytes
    chain: bytes
    key: bytes
    def __init__(self, roots: _Optional[bytes] = ..., chain: _Optional[bytes] = ..., key: _Optional[bytes] = ...) -> None: ...

class Keepalive(_message.Message):
    __slots__ = ("time_ms", "timeout_ms")
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    time_ms: int
    timeout_ms: int
    def __init__(self, time_ms: _Optional[int] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class Close(_message.Message):
    __slots__ = ("resource", "graceful")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    GRACEFUL_FIELD_NUMBER: _ClassVar[int]
    resource: int
    graceful: bool
    def __init__(self, resource: _Optional[int] = ..., graceful: _Optional[bool] = ...) -> None: ...

class Play(_message.Message):
    __slots__ = ("method", "metadata", "timeout_us", "lanes", "any_caller", "repeat", "concurrency", "report_json", "report_view", "compression", "report_times", "report_metadata")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_US_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    ANY_CALLER_FIELD_NUMBER: _ClassVar[int]
    REPEAT_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    REPORT_JSON_FIELD_NUMBER: _ClassVar[int]
    REPORT_VIEW_FIELD_NUMBER: _ClassVar[int]
    COMPRESSION_FIELD_NUMBER: _ClassVar[int]
    REPORT_TIMES_FIELD_NUMBER: _ClassVar[int]
    REPORT_METADATA_FIELD_NUMBER: _ClassVar[int]
    method: str
    metadata: _containers.RepeatedCompositeFieldContainer[Entry]
    timeout_us: int
    lanes: _containers.RepeatedCompositeFieldContainer[Lane]
    any_caller: bool
    repeat: int
    concurrency: int
    report_json: bool
    report_view: bool
    compression: str
    report_times: bool
    report_metadata: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, method: _Optional[str] = ..., metadata: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., timeout_us: _Optional[int] = ..., lanes: _Optional[_Iterable[_Union[Lane, _Mapping]]] = ..., any_caller: _Optional[bool] = ..., repeat: _Optional[int] = ..., concurrency: _Optional[int] = ..., report_json: _Optional[bool] = ..., report_view: _Optional[bool] = ..., compression: _Optional[str] = ..., report_times: _Optional[bool] = ..., report_metadata: _Optional[_Iterable[str]] = ...) -> None: ...

class Lane(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    def __init__(self, steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("send", "receive", "receive_to_end", "half_close", "cancel", "send_headers", "receive_headers", "finish", "signal", "wait_for", "wait_for_termination")
    SEND_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TO_END_FIELD_NUMBER: _ClassVar[int]
    HALF_CLOSE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    SEND_HEADERS_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_HEADERS_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_TERMINATION_FIELD_NUMBER: _ClassVar[int]
    send: int
    receive: Nothing
    receive_to_end: Nothing
    half_close: Nothing
    cancel: Nothing
    send_headers: Headers
    receive_headers: Nothing
    finish: Status
    signal: str
    wait_for: str
    wait_for_termination: Nothing
    def __init__(self, send: _Optional[int] = ..., receive: _Optional[_Union[Nothing, _Mapping]] = ..., receive_to_end: _Optional[_Union[Nothing, _Mapping]] = ..., half_close: _Optional[_Union[Nothing, _Mapping]] = ..., cancel: _Optional[_Union[Nothing, _Mapping]] = ..., send_headers: _Optional[_Union[Headers, _Mapping]] = ..., receive_headers: _Optional[_Union[Nothing, _Mapping]] = ..., finish: _Optional[_Union[Status, _Mapping]] = ..., signal: _Optional[str] = ..., wait_for: _Optional[str] = ..., wait_for_termination: _Optional[_Union[Nothing, _Mapping]] = ...) -> None: ...

class Nothing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Entry(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class Headers(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    def __init__(self, entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("code", "message", "details", "trailers")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    TRAILERS_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    details: bytes
    trailers: _containers.RepeatedCompositeFieldContainer[Entry]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., details: _Optional[bytes] = ..., trailers: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ...) -> None: ...

class Abort(_message.Message):
    __slots__ = ("play", "if_not_arrived")
    PLAY_FIELD_NUMBER: _ClassVar[int]
    IF_NOT_ARRIVED_FIELD_NUMBER: _ClassVar[int]
    play: int
    if_not_arrived: bool
    def __init__(self, play: _Optional[int] = ..., if_not_arrived: _Optional[bool] = ...) -> None: ...

class Signal(_message.Message):
    __slots__ = ("play", "name")
    PLAY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    play: int
    name: str
    def __init__(self, play: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class Transcode(_message.Message):
    __slots__ = ("type", "data", "from_json", "to_json", "to_view", "ignore_unknown", "emit_zero")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    FROM_JSON_FIELD_NUMBER: _ClassVar[int]
    TO_JSON_FIELD_NUMBER: _ClassVar[int]
    TO_VIEW_FIELD_NUMBER: _ClassVar[int]
    IGNORE_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    EMIT_ZERO_FIELD_NUMBER: _ClassVar[int]
    type: str
    data: bytes
    from_json: bool
    to_json: bool
    to_view: bool
    ignore_unknown: bool
    emit_zero: bool
    def __init__(self, type: _Optional[str] = ..., data: _Optional[bytes] = ..., from_json: _Optional[bool] = ..., to_json: _Optional[bool] = ..., to_view: _Optional[bool] = ..., ignore_unknown: _Optional[bool] = ..., emit_zero: _Optional[bool] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("id", "part", "more", "hello", "ready", "transcript", "signal", "transcoded", "done", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    TRANSCODED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: int
    part: bytes
    more: bool
    hello: Hello
    ready: Ready
    transcript: Transcript
    signal: Signal
    transcoded: Message
    done: Done
    error: Error
    def __init__(self, id: _Optional[int] = ..., part: _Optional[bytes] = ..., more: _Optional[bool] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., ready: _Optional[_Union[Ready, _Mapping]] = ..., transcript: _Optional[_Union[Transcript, _Mapping]] = ..., signal: _Optional[_Union[Signal, _Mapping]] = ..., transcoded: _Optional[_Union[Message, _Mapping]] = ..., done: _Optional[_Union[Done, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("contract", "versions", "capabilities", "max_plays", "token")
    class VersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    MAX_PLAYS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    contract: int
    versions: _containers.ScalarMap[str, str]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    max_plays: int
    token: str
    def __init__(self, contract: _Optional[int] = ..., versions: _Optional[_Mapping[str, str]] = ..., capabilities: _Optional[_Iterable[str]] = ..., max_plays: _Optional[int] = ..., token: _Optional[str] = ...) -> None: ...

class Ready(_message.Message):
    __slots__ = ("address",)
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    address: str
    def __init__(self, address: _Optional[str] = ...) -> None: ...

class Done(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Transcript(_message.Message):
    __slots__ = ("arrived", "request", "remaining_us", "lanes", "initial", "status", "aborted", "completed", "elapsed_ns", "began_us")
    ARRIVED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REMAINING_US_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    INITIAL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ABORTED_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_NS_FIELD_NUMBER: _ClassVar[int]
    BEGAN_US_FIELD_NUMBER: _ClassVar[int]
    arrived: bool
    request: _containers.RepeatedCompositeFieldContainer[Entry]
    remaining_us: int
    lanes: _containers.RepeatedCompositeFieldContainer[Seen]
    initial: _containers.RepeatedCompositeFieldContainer[Entry]
    status: Status
    aborted: bool
    completed: int
    elapsed_ns: int
    began_us: int
    def __init__(self, arrived: _Optional[bool] = ..., request: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., remaining_us: _Optional[int] = ..., lanes: _Optional[_Iterable[_Union[Seen, _Mapping]]] = ..., initial: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., status: _Optional[_Union[Status, _Mapping]] = ..., aborted: _Optional[bool] = ..., completed: _Optional[int] = ..., elapsed_ns: _Optional[int] = ..., began_us: _Optional[int] = ...) -> None: ...

class Seen(_message.Message):
    __slots__ = ("observed", "steps_done", "done_us")
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    STEPS_DONE_FIELD_NUMBER: _ClassVar[int]
    DONE_US_FIELD_NUMBER: _ClassVar[int]
    observed: _containers.RepeatedCompositeFieldContainer[Observation]
    steps_done: int
    done_us: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, observed: _Optional[_Iterable[_Union[Observation, _Mapping]]] = ..., steps_done: _Optional[int] = ..., done_us: _Optional[_Iterable[int]] = ...) -> None: ...

class Observation(_message.Message):
    __slots__ = ("message", "end", "terminated")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TERMINATED_FIELD_NUMBER: _ClassVar[int]
    message: Message
    end: Nothing
    terminated: Nothing
    def __init__(self, message: _Optional[_Union[Message, _Mapping]] = ..., end: _Optional[_Union[Nothing, _Mapping]] = ..., terminated: _Optional[_Union[Nothing, _Mapping]] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("binary", "json", "view")
    BINARY_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    binary: bytes
    json: str
    view: View
    def __init__(self, binary: _Optional[bytes] = ..., json: _Optional[str] = ..., view: _Optional[_Union[View, _Mapping]] = ...) -> None: ...

class View(_message.Message):
    __slots__ = ("fields", "unknown")
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedCompositeFieldContainer[Field]
    unknown: bytes
    def __init__(self, fields: _Optional[_Iterable[_Union[Field, _Mapping]]] = ..., unknown: _Optional[bytes] = ...) -> None: ...

class Field(_message.Message):
    __slots__ = ("number", "values")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    number: int
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, number: _Optional[int] = ..., values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("int", "uint", "float_bits", "text", "message")
    INT_FIELD_NUMBER: _ClassVar[int]
    UINT_FIELD_NUMBER: _ClassVar[int]
    FLOAT_BITS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    int: int
    uint: int
    float_bits: int
    text: bytes
    message: View
    def __init__(self, int: _Optional[int] = ..., uint: _Optional[int] = ..., float_bits: _Optional[int] = ..., text: _Optional[bytes] = ..., message: _Optional[_Union[View, _Mapping]] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("kind", "text")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Error.Kind]
        KIND_UNKNOWN_COMMAND: _ClassVar[Error.Kind]
        KIND_UNSUPPORTED: _ClassVar[Error.Kind]
        KIND_UNREADABLE_PAYLOAD: _ClassVar[Error.Kind]
        KIND_UNKNOWN_REFERENCE: _ClassVar[Error.Kind]
        KIND_REFUSED: _ClassVar[Error.Kind]
        KIND_INTERNAL: _ClassVar[Error.Kind]
    KIND_UNSPECIFIED: Error.Kind
    KIND_UNKNOWN_COMMAND: Error.Kind
    KIND_UNSUPPORTED: Error.Kind
    KIND_UNREADABLE_PAYLOAD: Error.Kind
    KIND_UNKNOWN_REFERENCE: Error.Kind
    KIND_REFUSED: Error.Kind
    KIND_INTERNAL: Error.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    kind: Error.Kind
    text: str
    def __init__(self, kind: _Optional[_Union[Error.Kind, str]] = ..., text: _Optional[str] = ...) -> None: ...
