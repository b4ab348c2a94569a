"""Play with grpcio's synchronous API, in threads."""
