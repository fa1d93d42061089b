"""Which machines a source may reach, and connections to those alone."""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import suppress
from types import TracebackType

from distributor.digest.sources.model import SourceUnreachable

#: Ranges that lead on to an address of the other kind: NAT64, 6to4 and Teredo.
_TUNNELS = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the Internet at large, and to no network in between."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif any(ip in tunnel for tunnel in _TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast


def addresses_of(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
    """The IP addresses of `host`. Raises `SourceUnreachable` for one that may not be reached.

    Whoever connects must connect to one of these: asked again, a name may answer differently.
    """
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise SourceUnreachable(
            f"the name {host} leads nowhere: {reason or error}; check the address and the network"
        ) from error
    found = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
    for address in found:
        if not allow_private and not is_public(address):
            name = host if host == address else f"{host} leads to {address}, which"
            raise SourceUnreachable(
                f"{name} is no address of the public Internet; "
                "if that is meant, set allow_private = true for this source"
            )
    return found


class Line:
    """The connections of one download, all of them cut when its time is up.

    Time-outs of sockets start anew with every byte, so that alone they would let a slow server
    keep a download for ever.
    """

    def __init__(self, *, seconds: float, allow_private: bool) -> None:
        self.seconds = seconds
        self._allow_private = allow_private
        self._copies: list[socket.socket] = []
        self._expired = threading.Event()
        self._alarm = threading.Timer(seconds, self._cut)
        self._alarm.daemon = True

    def __enter__(self) -> Line:
        self._alarm.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._alarm.cancel()
        self._alarm.join()
        for copy in self._copies:
            copy.close()

    @property
    def expired(self) -> bool:
        return self._expired.is_set()

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to an address of `host` that may be reached. Raises `SourceUnreachable`."""
        reason = "no address"
        for address in addresses_of(host, port, allow_private=self._allow_private):
            if self.expired:
                reason = f"no answer within {self.seconds:g} seconds"
                break
            try:
                connection = socket.create_connection((address, port), self.seconds)
            except OSError as error:
                reason = error.strerror or str(error)
                continue
            # TLS takes the socket itself away; the copy stays ours.
            self._copies.append(connection.dup())
            if self._expired.is_set():
                self._cut()  # it stood too late to be seen when the time was up
            return connection
        raise SourceUnreachable(
            f"{host} cannot be reached: {reason}; check the address and the network"
        )

    def _cut(self) -> None:
        self._expired.set()
        for copy in self._copies:
            with suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)
