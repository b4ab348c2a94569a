"""Plays cases on pairs: jobs wait in queues, an executor for each kind of case plays them on drivers of the pool, and a
failure passes triage and the shrinker before it is final. The engine is the loop that holds them together."""

from grpc_interop.engine.engine import Engine
from grpc_interop.engine.jobs import Job, Prepared, Preparer

__all__ = ["Engine", "Job", "Prepared", "Preparer"]
