"""Messages that aim exactly where two versions of a type differ."""
