"""`interop bench`: pairs (the engine beside the bare loop) and trees (building, playing and memory)."""
