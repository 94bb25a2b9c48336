"""Accounts (账号): one row per person who may sign in. Who they act for stands in `access`."""
