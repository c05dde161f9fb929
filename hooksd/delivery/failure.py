"""Why a request got no answer: from what the HTTP client raises to one of our words and a line for people.

Called by `delivery.sender`. The client wraps what the operating system said several times; the innermost tells.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from hooksd.model.record import Outcome


def failure_of(error: BaseException) -> tuple[Outcome, str]:
    """Return the outcome and the error, in one line, of a request that failed."""
    for cause in _causes(error):
        match cause:
            case socket.gaierror():
                return "dns", f"cannot resolve the host: {cause.strerror}"
            case ssl.SSLCertVerificationError():
                return "tls", f"the certificate is not trusted: {cause.verify_message}"
            case ssl.SSLError():
                return "tls", f"TLS failed: {_first_line(cause)}"
            case ConnectionRefusedError():
                return "refused", "the connection was refused"
            case ConnectionError():
                return "reset", "the connection was reset"
            case _:
                continue
    return _of_client(error)


def _of_client(error: BaseException) -> tuple[Outcome, str]:
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return "timeout_connect", "no connection in time"
        case httpx.TimeoutException():
            return "timeout_total", "no whole answer in time"
        case httpx.ConnectError():
            return "refused", f"cannot connect: {_first_line(error)}"
        case httpx.RemoteProtocolError() if "disconnected" in str(error):
            return "reset", "the connection was closed without an answer"
        case httpx.NetworkError():
            return "reset", "the connection was reset"
        case httpx.RemoteProtocolError():
            return "protocol", f"the answer is not HTTP: {_first_line(error)}"
        case _:
            return "config", f"the request cannot be sent: {_first_line(error)}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything it came from, outermost first; no error twice."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [cause for cause in (current.__cause__, current.__context__) if cause is not None]
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
