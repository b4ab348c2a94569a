"""Proto trees: where they lie, what they hold, now and at a commit."""
