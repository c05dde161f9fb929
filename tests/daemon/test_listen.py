"""Doors: who may stand behind them, and who is told what when one cannot be opened."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from hooksd.config.settings import TcpAddress, UnixAddress
from hooksd.daemon.listen import CALLER_MODE, bind, name_of, named
from hooksd.errors import HooksdError
from tests.config.unprivileged import unprivileged

ANY_PORT = TcpAddress(host="127.0.0.1", port=0)


def test_a_tcp_listener_is_known_to_be_tcp_so_that_answers_are_not_delayed() -> None:
    with bind(ANY_PORT) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert not listener.getblocking()
        socket.create_connection(listener.getsockname(), timeout=5).close()


def test_a_port_in_use_is_named() -> None:
    with bind(ANY_PORT) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(
            HooksdError, match=rf"cannot listen on 127\.0\.0\.1:{port}: .* in use; is another daemon running"
        ):
            bind(TcpAddress(host="127.0.0.1", port=port))


def test_an_address_of_another_machine_is_not_taken_for_one_in_use() -> None:
    with pytest.raises(HooksdError, match=r"^cannot listen on 192\.0\.2\.1:80: .*; this machine has no such address$"):
        bind(TcpAddress(host="192.0.2.1", port=80))


def test_a_place_where_one_may_not_listen_is_not_taken_for_one_in_use() -> None:
    with unprivileged() as directory:
        directory.chmod(0o500)
        with pytest.raises(HooksdError, match=r"a\.sock: Permission denied; ports below 1024 are for root"):
            bind(UnixAddress(path=directory / "a.sock"))
        directory.chmod(0o700)


def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(HooksdError, match=r"cannot listen on no\.such\.host\.invalid:80: "):
        bind(TcpAddress(host="no.such.host.invalid", port=80))


def test_the_admin_socket_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "admin.sock"

    with bind(UnixAddress(path=path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_unix_socket_for_callers_is_open_to_a_proxy_of_any_user(tmp_path: Path) -> None:
    path = tmp_path / "proxy" / "hooks.sock"

    with bind(UnixAddress(path=path), mode=CALLER_MODE):
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert stat.S_IMODE(path.parent.stat().st_mode) & 0o055 == 0o055


def test_the_socket_of_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    bind(UnixAddress(path=path)).close()
    assert path.exists()

    with bind(UnixAddress(path=path)), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))


def test_the_socket_of_a_living_daemon_is_not(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"

    with bind(UnixAddress(path=path)), pytest.raises(HooksdError, match="another daemon answers there"):
        bind(UnixAddress(path=path))

    assert path.exists()


def test_a_file_in_the_place_of_the_socket_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    path.write_text("precious")

    with pytest.raises(HooksdError, match="a file that is no socket stands there"):
        bind(UnixAddress(path=path))

    assert path.read_text() == "precious"


def test_a_path_that_is_too_long_for_a_socket_is_refused_with_the_limit(tmp_path: Path) -> None:
    with pytest.raises(HooksdError, match="longer than 107 bytes"):
        bind(UnixAddress(path=tmp_path / ("x" * 120)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_named() -> None:
    with pytest.raises(HooksdError, match=r"cannot listen on unix:/proc/admin\.sock"):
        bind(UnixAddress(path=Path("/proc/admin.sock")))


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (TcpAddress(host="127.0.0.1", port=9000), "127.0.0.1:9000"),
        (TcpAddress(host="::1", port=9000), "[::1]:9000"),
        (UnixAddress(path=Path("/run/a.sock")), "unix:/run/a.sock"),
    ],
    ids=["ipv4", "ipv6", "unix"],
)
def test_an_address_is_written_as_settings_write_it(address: TcpAddress | UnixAddress, text: str) -> None:
    assert named(address) == text


def test_a_listener_tells_the_port_that_it_really_has(tmp_path: Path) -> None:
    with bind(ANY_PORT) as tcp, bind(UnixAddress(path=tmp_path / "a.sock")) as unix:
        assert name_of(tcp) == f"127.0.0.1:{tcp.getsockname()[1]}"
        assert name_of(unix) == f"unix:{tmp_path}/a.sock"
