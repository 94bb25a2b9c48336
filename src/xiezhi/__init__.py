"""Xiezhi 协治: one platform for a district market-regulation bureau and those it works with."""

__version__ = "0.1.0"
