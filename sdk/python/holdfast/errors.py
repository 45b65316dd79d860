"""What the host's capabilities raise.

Every exception here is a `HostError`, so that a handler can catch all of them at once.
"""


class HostError(Exception):
    """The host did not do what was asked."""


class Gone(HostError):
    """There is no such connection, or it is closing."""

    def __init__(self) -> None:
        super().__init__("the connection is gone")


class QueueFull(HostError):
    """The outbound queue is full (`queue_bytes_max`), and the slow-consumer policy is to wait."""

    def __init__(self, buffered_bytes: int) -> None:
        super().__init__(f"its queue is full, with {buffered_bytes} bytes")
        self.buffered_bytes = buffered_bytes


class TooLarge(HostError):
    """The message (`message_bytes_max`) or the attachment (`attachment_bytes_max`) is too large."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"it is over {limit} bytes")
        self.limit = limit
        """In bytes."""


class Conflict(HostError):
    """The attachment is no longer at the expected version."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the attachment has changed, to version {version}")
        self.version = version
        """The version it is at."""


class InvalidCode(HostError):
    """Not a code with which an endpoint may close (RFC 6455, section 7.4)."""

    def __init__(self) -> None:
        super().__init__("an endpoint may not send this close code")


class ReasonTooLong(HostError):
    """The reason for closing has more than 123 bytes (RFC 6455, section 5.5)."""

    def __init__(self) -> None:
        super().__init__("the reason for closing is over 123 bytes")


class TooManyTopics(HostError):
    """The connection has reached `topics_per_connection_max`."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"it has {limit} topics already")
        self.limit = limit


class InvalidTopic(HostError):
    """The name of a topic is empty, or too long (`topic_bytes_max`)."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a topic's name has 1 to {limit} bytes")
        self.limit = limit
        """In bytes."""


class StoreError(HostError):
    """The key-value store did not do what was asked."""


class NoSuchStore(StoreError):
    """There is no key-value store of this name."""

    def __init__(self) -> None:
        super().__init__("there is no such key-value store")


class AccessDenied(StoreError):
    """The plugin has not been granted this key-value store."""

    def __init__(self) -> None:
        super().__init__("the key-value store is not granted")


class Contended(StoreError):
    """`Store.update` was overtaken too often."""

    def __init__(self, attempts: int) -> None:
        super().__init__(f"overtaken by {attempts} other changes")


class ConfigError(HostError):
    """The settings could not be read."""


class BodyTooLarge(HostError):
    """A body has more bytes than the caller wants to read."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body has more than {limit} bytes")
        self.limit = limit


class BodyBroken(HostError):
    """A body ended before its time."""


class FetchError(HostError):
    """There is no response to an outbound request."""


class FetchDenied(FetchError):
    """The operator has not allowed requests to this server."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"requests to `{server}` are not allowed; the operator allows them with "
            f"`--allow-http {server}` or `allow_http` in the manifest"
        )
        self.server = server


class FetchTimeout(FetchError):
    """The server did not answer in time."""

    def __init__(self) -> None:
        super().__init__("the server did not answer in time")


class FetchUnreachable(FetchError):
    """The server could not be reached."""
