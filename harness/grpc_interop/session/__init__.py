"""The parts that a run and the pytest plugin share: protos, builds, the engine, and the selection of cases."""
