"""The search for the smallest case that still fails."""
