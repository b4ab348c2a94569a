"""Plays cases on pairs. Jobs are what is played, the pool the drivers that play, sockets how they are heard, a flight is
one play and an exchange one message case under way; the watchdog sees who takes too long, an incident is the death of a
driver, doubts hold failures back that one may explain, reruns are what becomes of a verdict before it is final, shrinking
searches the smallest case that fails; the engine is the loop that holds them together."""

from grpc_interop.engine.engine import Engine
from grpc_interop.engine.jobs import Job, Prepared, Preparer

__all__ = ["Engine", "Job", "Prepared", "Preparer"]
