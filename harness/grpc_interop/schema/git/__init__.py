"""Git repositories: what a commit held, submodules included."""
