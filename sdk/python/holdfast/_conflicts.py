"""Counts how often somebody else was faster, so that what was done in vain can be done again.

`holdfast.sqlite` counts, and `holdfast.wsgi` looks; neither has to import the other.
"""

count = 0
"""Of this instance, so far."""


def add() -> None:
    """Counts one more."""
    global count
    count += 1
