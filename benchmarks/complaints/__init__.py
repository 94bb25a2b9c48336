"""What the text engine is measured by."""
