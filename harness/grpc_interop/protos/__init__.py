"""Proto trees: what they hold, and sample messages of their types."""
