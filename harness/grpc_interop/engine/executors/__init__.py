"""How each kind of case is played, one module a kind."""
