"""How each kind of case is played: a module for each kind."""
