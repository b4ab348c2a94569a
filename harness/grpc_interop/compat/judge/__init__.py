"""What observations mean. Pure."""
