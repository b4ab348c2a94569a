"""Plays with grpcio's synchronous API, in threads."""
