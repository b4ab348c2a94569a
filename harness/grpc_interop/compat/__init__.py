"""Compare two versions of the protos: play exchanges between old and new programs, and judge the effects on the values."""
