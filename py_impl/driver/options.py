"""The contract's Options as grpcio takes them."""

from typing import Any, Final

import grpc

from driver.contract import pb

COMPRESSIONS: Final = {
    "": None,
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}

Argument = tuple[str, Any]


def channel_arguments(options: pb.Options) -> list[Argument]:
    """Return the channel arguments of a client."""
    arguments: list[Argument] = [
        # Otherwise a proxy that the environment names would be asked to connect to 127.0.0.1.
        ("grpc.enable_http_proxy", 0),
        # Channels to one target would share a connection, and with it all that a case does to the connection.
        ("grpc.use_local_subchannel_pool", 1),
        *_common(options),
    ]
    return arguments


def server_arguments(options: pb.Options) -> list[Argument]:
    """Return the channel arguments of a server."""
    # Without this, a second server on the same port is not refused, and takes a part of the calls.
    return [("grpc.so_reuseport", 0), *_common(options)]


def _common(options: pb.Options) -> list[Argument]:
    arguments: list[Argument] = []
    if options.HasField("max_receive_bytes"):
        arguments.append(("grpc.max_receive_message_length", options.max_receive_bytes))
    return arguments


def channel_credentials(options: pb.Options) -> grpc.ChannelCredentials | None:
    """Return the credentials of a client: its certificate and the authorities that it trusts; None for plaintext."""
    if not options.HasField("tls"):
        return None
    tls = options.tls
    return grpc.ssl_channel_credentials(tls.roots or None, tls.key or None, tls.chain or None)


def server_credentials(options: pb.Options) -> grpc.ServerCredentials | None:
    """Return the credentials of a server: its certificate and its demand for a client's certificate; None for plaintext."""
    if not options.HasField("tls"):
        return None
    tls = options.tls
    return grpc.ssl_server_credentials([(tls.key, tls.chain)], tls.roots or None, bool(tls.roots))
