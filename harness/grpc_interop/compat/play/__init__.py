"""Plays exchanges between two versions and reads what both sides showed."""
