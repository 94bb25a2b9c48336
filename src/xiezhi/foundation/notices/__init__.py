"""Notices (消息): the in-app inbox that always works. Other channels are added behind the same `notify`."""
