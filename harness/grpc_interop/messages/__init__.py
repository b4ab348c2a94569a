"""Carrying messages from one implementation to another: the questions to both, and the right answers."""
