"""What becomes of a failure before it is final: deferred, played again, blamed on a crash."""
