"""Files that are complete or absent, and temporary files that never stay behind."""
