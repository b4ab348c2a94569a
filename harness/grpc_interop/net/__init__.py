"""Sockets: the poller that hears all drivers, and the relay between a client and a server."""
