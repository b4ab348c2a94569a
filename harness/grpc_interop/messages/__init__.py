"""Carrying messages from an implementation to another: the questions to both, and the right answers."""
