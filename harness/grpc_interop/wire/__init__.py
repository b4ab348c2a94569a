"""Our own reading of bytes and of ProtoJSON: no runtime of any language has a say in it."""
