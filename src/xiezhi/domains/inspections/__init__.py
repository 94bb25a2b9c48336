"""Joint inspections (综合查一次)."""
