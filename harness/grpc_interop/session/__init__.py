"""What a run and the pytest plugin share: protos, builds, the engine, and which cases are played."""
