"""Files that are whole or not there, and temporary ones that never stay behind."""
