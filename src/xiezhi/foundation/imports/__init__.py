"""Imports (数据导入)."""
