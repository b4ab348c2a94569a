"""The forms of the report, one module a form."""
