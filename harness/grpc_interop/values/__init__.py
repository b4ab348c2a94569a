"""Sample, generated, malformed and boundary values of any message type, and which fields they cover."""
