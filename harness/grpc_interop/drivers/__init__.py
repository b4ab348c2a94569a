"""An implementation: its manifest, build, process (under a supervisor), connection, driver and the driver's resources."""
