"""The steps before a failure is final: it is deferred, played again in isolation, or attributed to a crash."""
