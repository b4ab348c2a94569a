"""Makes text from outside harmless, and prints the messages of commands."""
