"""The commands of `interop`: a module for each, named as it is typed, with a `command` for cli.py. Options that several
commands share stand in options.py."""
