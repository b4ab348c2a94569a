"""The commands of `interop`: one module a command, named as it is typed. Each has a `command` for cli.py."""
