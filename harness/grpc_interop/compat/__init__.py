"""Old protos against new: what a change of the protos does to the values that old and new programs exchange."""
