"""Messages aimed at the differences between two versions of a type, and the plan of exchanges that carry them."""
