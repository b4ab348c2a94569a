"""The Python driver: plays clients and servers through grpcio as the driver contract tells it to."""
