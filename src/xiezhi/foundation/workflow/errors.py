"""What a service raises when a person asks for something that cannot be done. The message is shown as it is."""


class Refused(Exception):
    """Not possible now, for a reason the person can act on."""


class Stale(Refused):
    """The object changed since the page was opened."""


class AlreadyDone(Refused):
    """The same person made the same move a moment ago: a double click. Shown as success."""
