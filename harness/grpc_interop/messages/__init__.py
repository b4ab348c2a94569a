"""Carrying messages from one implementation to another: what is asked of the two, and what their answers must say."""
