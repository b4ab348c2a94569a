"""Where the protos of a repository lie: roots, files below them, and what buf says of them."""
