"""Sockets: a poller for all of them, and a relay between a client and a server."""
