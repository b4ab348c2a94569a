"""An implementation: found (manifest), built (build), started (process, supervisor), spoken to (connection, driver)."""
