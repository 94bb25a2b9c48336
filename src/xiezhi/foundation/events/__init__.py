"""Domain events (事件): how news travels upwards, from a room to those that may not be imported by it.

`publish` writes the event in the transaction of the act (an outbox); after commit every subscriber gets its own delivery, at least once,
by the worker. Subscribers are idempotent, raise to be tried again, and register in their app's `ready()`.
"""
