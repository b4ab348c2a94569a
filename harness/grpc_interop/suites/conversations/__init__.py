"""Conversations that are made up: by chance (dice), from messages (words), in an order (walk)."""
