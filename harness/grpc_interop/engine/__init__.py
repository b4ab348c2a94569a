"""Plays cases on pairs: what is played (jobs), the drivers that play (crew), one play (flight), who is to blame when a
driver dies (incident), and the loop that holds them together (engine)."""

from grpc_interop.engine.engine import Engine
from grpc_interop.engine.jobs import Job, Prepared, Preparer

__all__ = ["Engine", "Job", "Prepared", "Preparer"]
