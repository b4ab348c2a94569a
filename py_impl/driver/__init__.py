"""The Python driver: it plays clients and servers through grpcio as the driver contract says."""
