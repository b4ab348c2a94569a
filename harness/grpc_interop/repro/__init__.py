"""Cases and exchanges as text and as programs that stand alone."""
