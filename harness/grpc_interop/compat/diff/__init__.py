"""What differs between two versions of the protos, before anything is played."""
