"""How a conversation is made up: chance (dice), what is said (words), and who says it when (walk)."""
