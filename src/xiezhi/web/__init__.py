"""The shells that people enter by."""
