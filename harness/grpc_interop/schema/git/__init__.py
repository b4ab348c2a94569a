"""Git repositories: the files of a commit, submodules included."""
