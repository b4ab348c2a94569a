"""The terms that all of compat shares: effects that are observed, and the result that reports render."""
