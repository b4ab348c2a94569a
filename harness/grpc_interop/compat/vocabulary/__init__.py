"""The words that every part of a comparison shares."""
