"""A guard for tests: put this folder on PYTHONPATH and any connection that leaves the machine fails
at once.

Kernels of notebooks inherit it. Loopback stays open: a kernel talks to its client through it.
"""

import ipaddress
import socket

_connect, _connect_ex, _getaddrinfo = (
    socket.socket.connect,
    socket.socket.connect_ex,
    socket.getaddrinfo,
)


class OutsideConnection(OSError):
    """Something tried to reach the network."""


def _check(host) -> None:
    if host in (None, "", "localhost", b"localhost", socket.gethostname()):
        return
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        inside = ipaddress.ip_address(text.split("%")[0]).is_loopback
    except ValueError:
        inside = False
    if not inside and text not in ("0.0.0.0", "::"):
        raise OutsideConnection(
            f"a connection to {text} was tried; notebooks and tests must run without a network"
        )


def _guarded(connect):
    def wrapper(self, address, *rest):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(address[0])
        return connect(self, address, *rest)

    return wrapper


def _guarded_getaddrinfo(host, *rest, **named):
    _check(host)
    return _getaddrinfo(host, *rest, **named)


socket.socket.connect = _guarded(_connect)
socket.socket.connect_ex = _guarded(_connect_ex)
socket.getaddrinfo = _guarded_getaddrinfo
