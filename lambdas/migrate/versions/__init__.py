"""The steps of the schema, one a file; each has its way back. A file is named v, its number, and what it brings."""
