"""Sockets: the poller of the engine's sockets, and a relay between a client and a server."""
