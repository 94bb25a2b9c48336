"""Background work (后台任务): a job is a row that people can watch, cancel and find again.

django-tasks carries it to a worker; this room adds progress, cancellation, a heartbeat lease, and the reclaim of a dead worker's row.
Enqueue inside the transaction of the act: the row is the outbox. Periodic work is the ticker's (`periodic`).
"""
