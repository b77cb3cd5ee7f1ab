"""No URL and no DNS answer leads the program to an address it must not ask."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from web_server import reply, serving

from aggregator.errors import ConfigError, FetchError
from aggregator.model import Request
from aggregator.web import Client, Network
from aggregator.web.guard import Guard, admit, literal, unsafe


@pytest.mark.parametrize(
    ("address", "case"),
    [
        ("8.8.8.8", None),
        ("101.226.28.1", None),
        ("2606:4700::1111", None),
        ("64:ff9b::808:808", None),
        ("::ffff:8.8.8.8", None),
        ("100.63.255.255", None),
        ("100.128.0.1", None),
        ("172.32.0.1", None),
        ("127.0.0.1", "a loopback address"),
        ("::ffff:10.0.0.1", "a private address"),
        ("64:ff9b::a00:1", "a private address, written for NAT64"),
        ("64:ff9b:1::1", "a local NAT64 address"),
        ("::127.0.0.1", "an IPv4-compatible address"),
        ("::", "an unspecified address"),
        ("2002:7f00:1::", "a 6to4 address"),
        ("fec0::1", "a site-local address"),
        ("2001:0:1::1", "a reserved address"),
        ("100::1", "a reserved address"),
        ("5f00::1", "a reserved address"),
        ("::ffff:0:127.0.0.1", "a reserved address"),
        ("198.19.255.255", "a benchmarking address"),
        ("255.255.255.255", "a reserved address"),
        ("203.0.113.9", "a documentation address"),
    ],
)
def test_an_address_is_judged_by_its_case(address: str, case: str | None) -> None:
    assert unsafe(ip_address(address)) == case


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("010.8.8.8", "8.8.8.8"),
        ("8.8.2056", "8.8.8.8"),
        ("::ffff:7f00:1", "127.0.0.1"),
        ("2606:4700::1", "2606:4700::1"),
    ],
)
def test_an_address_is_read_in_every_spelling(host: str, address: str) -> None:
    assert literal(host) == ip_address(address)


@pytest.mark.parametrize("host", ["1.2.3.4.5", "256.1.1.1", "1.2.3.256", "4294967296", "name.1", "09.1", "1..2"])
def test_a_number_that_is_no_address_is_no_name_either(host: str) -> None:
    with pytest.raises(ValueError, match="no IPv4 address"):
        literal(host)


def test_a_name_stays_a_name() -> None:
    assert [literal(host) for host in ("finance.sina.com.cn", "1.example", "0x7f.example", "face.b00c")] == [None] * 4


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("HTTPS://Finance.Sina.com.cn./a?b=1#c", "https://finance.sina.com.cn/a?b=1#c"),
        (" http://8.8.2056/x ", "http://8.8.8.8/x"),
        ("http://[::ffff:8.8.8.8]:81/", "http://8.8.8.8:81/"),
        ("http://中文.example/新", "http://xn--fiq228c.example/%E6%96%B0"),
    ],
)
def test_an_admitted_url_has_a_canonical_host(text: str, canonical: str) -> None:
    assert str(admit(text, Guard())) == canonical


@pytest.mark.parametrize(
    "text", ["", "http://", "http:///path", "finance.sina.com.cn", "/path", "http://[::1", "h" * 9_999]
)
def test_what_is_no_web_address_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(FetchError, match="not a usable web address") as error:
        admit(text, Guard())
    assert error.value.kind == "scheme"
    assert len(str(error.value)) < 600


def test_a_refusal_names_the_case_and_the_line_to_add() -> None:
    guard = Guard.of(Network())
    lan = guard.refusal("rsshub.lan", ip_address("192.168.1.5"), answered=True)
    assert lan is not None
    assert lan.case == "a private address"
    assert "network.allow_private: [rsshub.lan]" in lan.remedy
    fake = guard.refusal("finance.sina.com.cn", ip_address("198.18.0.7"), answered=True)
    assert fake is not None
    assert "network.fake_ip_ranges: [198.18.0.0/15]" in fake.remedy
    with pytest.raises(FetchError, match=r"network\.allow_private: \[198\.18\.0\.7\]") as error:
        admit("http://u:pw@198.18.0.7/a", guard)
    assert (error.value.kind, error.value.where) == ("refused", "http://198.18.0.7/a")


def test_exceptions_hold_for_what_they_name_and_nothing_else() -> None:
    guard = Guard.of(
        Network(
            allow_private=("RSSHub.lan", "10.1.0.0/16", "[::1]", "0xc0a80909"),
            fake_ip_ranges=("198.18.0.0/15",),
            connect_to={"finance.sina.com.cn": "http://127.0.0.1:8377"},
        )
    )

    def allowed(host: str, address: str, *, answered: bool) -> bool:
        return guard.refusal(host, ip_address(address), answered=answered) is None

    assert allowed("rsshub.lan", "192.168.1.5", answered=True)
    assert allowed("any.example", "10.1.2.3", answered=True)
    assert allowed("10.1.2.3", "10.1.2.3", answered=False)
    assert allowed("::1", "::1", answered=False)
    assert allowed("192.168.9.9", "192.168.9.9", answered=False)
    assert allowed("any.example", "198.18.3.4", answered=True)
    assert allowed("finance.sina.com.cn", "127.0.0.1", answered=True)
    assert not allowed("198.18.3.4", "198.18.3.4", answered=False)
    assert not allowed("any.example", "192.168.9.9", answered=True)
    assert not allowed("sub.rsshub.lan", "192.168.1.5", answered=True)
    assert not allowed("any.example", "10.2.0.1", answered=True)
    assert not allowed("127.0.0.1", "127.0.0.1", answered=False)


def test_a_bad_range_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"network\.allow_private"):
        Guard.of(Network(allow_private=("10.0.0.0/99",)))


def test_a_name_is_resolved_once_and_the_connection_goes_to_the_judged_address() -> None:
    answers = [["127.0.0.1"], ["93.184.215.14"]]
    asked: list[str] = []

    async def once(host: str) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    async def run() -> bytes:
        async with serving({"/": reply(200, b"here")}) as server:
            network = Network(allow_private=("127.0.0.0/8",))
            async with Client(network, resolve=once) as fetch:
                return (await fetch(Request(f"http://pinned.example:{server.port}/"))).body

    assert asyncio.run(run()) == b"here"
    assert asked == ["pinned.example"]
