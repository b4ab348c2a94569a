"""Answer the export request (docs/manifest.md): one side of a case as a program that stands alone."""
