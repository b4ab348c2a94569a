"""Text from outside made harmless, and how commands print."""
