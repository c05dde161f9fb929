from __future__ import annotations

import pytest

from hooksd.delivery.place import NoPlace, place_of


def test_a_url_is_taken_apart_once() -> None:
    place = place_of("https://user@Shop.Example:8443/in?a=b#part")

    assert (place.scheme, place.host, place.port) == ("https", "shop.example", 8443)
    assert (place.authority, place.target) == (b"shop.example:8443", b"/in?a=b")
    assert place_of("https://user@Shop.Example:8443/in?a=b#part") is place


def test_connections_are_shared_by_what_has_the_same_origin() -> None:
    origin = place_of("http://shop.example/in").origin

    assert place_of("http://other.example:80/out").origin == origin, "of the same address"
    assert place_of("http://shop.example:81/in").origin != origin
    assert place_of("https://shop.example/in").origin != place_of("https://other.example/in").origin


def test_names_that_are_not_ascii_and_ipv6_addresses_are_spelled_as_certificates_do() -> None:
    assert place_of("http://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example/").host == "xn--bcher-kva.example"
    assert place_of("http://[::1]:80/").host == "::1"
    assert place_of("http://[::1]:81/").authority == b"[::1]:81"


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "127.1",
        "127.0.1",
        "0",
        "0177.0.0.1",
        "127.0.0.1.",
        "1.2.3.4.5",
        "a.0x1",
        "0x",
        "256.1.1.1",
        "[fe80::1%25lo]",
        "①27.0.0.1",
        "a\\@b",
        "",
    ],
)
def test_numbers_in_disguise_and_what_is_no_host_lead_nowhere(host: str) -> None:
    with pytest.raises(NoPlace):
        place_of(f"http://{host}/")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://a/", "ftp://a/", "http+unix://%2frun%2fx/", "//a", "a", "http:///x"]
)
def test_only_http_leads_somewhere(url: str) -> None:
    with pytest.raises(NoPlace, match="must begin with https:// or http:// and a host"):
        place_of(url)
