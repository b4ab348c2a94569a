"""Play with grpc.aio, in one asyncio loop."""
