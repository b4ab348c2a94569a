"""Our own readers of the wire format and of ProtoJSON, independent of every runtime."""
