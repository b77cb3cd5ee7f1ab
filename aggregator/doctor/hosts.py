"""What is wrong with a host: its name, its addresses, the way to it, what it answers, with a Referer and without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

from aggregator.doctor.finding import Finding, told
from aggregator.doctor.looking import REFUSALS, Answered, Named, Probe, Seen, referer_of
from aggregator.errors import FetchError, masked
from aggregator.model import Page
from aggregator.text.urls import host_of
from aggregator.web import Network
from aggregator.web.guard import Address, Guard, literal, spelling, unsafe

UNREACHED = frozenset(
    {"dns", "refused", "connect", "timeout", "tls"}
)  # kinds of errors that are the way's, not a URL's
# What OpenSSL says of a certificate, and what helps.
_CERTIFICATES = (
    ("expired", "Check this machine's clock; else its operator must renew the certificate"),
    ("not yet valid", "Check this machine's clock"),
    (
        "Hostname mismatch",
        "The certificate is another host's: check the address, and whether a portal answers in its place",
    ),
    ("self-signed", "If you trust who signed it, add the certificate: network.ca_bundle: FILE.pem"),
    ("self signed", "If you trust who signed it, add the certificate: network.ca_bundle: FILE.pem"),
    ("unable to get local issuer", "If you trust who signed it, add the certificate: network.ca_bundle: FILE.pem"),
    ("WRONG_VERSION_NUMBER", "That port speaks no TLS: check scheme and port of the address"),
)


def of_host(host: str, seen: Seen, network: Network, guard: Guard) -> Iterator[Finding]:
    """The lines about one host."""
    proxied = all(feed.proxy or network.proxy for feed, url, _ in seen.asked() if host_of(url) == host)
    yield of_name(host, (seen.names or {}).get(host), network, guard, proxied=proxied)
    answers = [answer for asked, _, answer in seen.answers() if asked == host]
    way = of_way(host, answers)
    if way:
        yield way
    told_of = of_answers(host, answers)
    if told_of:
        yield told_of
    probe = (seen.probes or {}).get(host)
    if probe:
        yield of_referer(host, probe, network)


def of_name(host: str, named: Named | None, network: Network, guard: Guard, *, proxied: bool) -> Finding:
    """Whether a host's addresses may be asked; ``proxied``: a proxy stands before all that is asked of it."""
    reached = {spelling(name): place for name, place in network.connect_to.items()}
    if host in reached:
        return Finding(host, "ok", f"is reached at {reached[host]}, as network.connect_to says")
    spelled = _literal(host)
    addresses = [spelled] if spelled else [ip_address(text.partition("%")[0]) for text in (named or Named()).addresses]
    for address in addresses:
        refusal = guard.refusal(host, address, answered=spelled is None)
        if refusal:
            return Finding(host, "bad", f"is at {address}, {refusal.case}: not asked", refusal.remedy)
    if addresses:
        return Finding(host, "ok", f"is at {', '.join(_described(address) for address in addresses)}")
    why = named.error if named and named.error else "no address"
    if proxied:
        return Finding(host, "ok", "has no address here; the proxy finds it")
    remedy = f"Check the spelling, and this machine's DNS: getent hosts {host}"
    return Finding(host, "bad", f"DNS: the name is not known: {told(why)}", remedy)


def _literal(host: str) -> Address | None:
    try:
        return literal(host)
    except ValueError:
        return None


def _described(address: Address) -> str:
    case = unsafe(address)
    return f"{address} ({case}, allowed)" if case else f"{address} (public)"


def of_way(host: str, answers: list[Answered]) -> Finding | None:
    """What keeps connections to a host from being made; ``None`` where they are, or where its name is at fault."""
    for answer in answers:
        if isinstance(answer, FetchError) and answer.kind == "tls":
            remedy = next((advice for sign, advice in _CERTIFICATES if sign in answer.message), answer.hint)
            return Finding(host, "bad", f"TLS: {told(answer.message)}", remedy)
        if isinstance(answer, FetchError) and answer.kind in ("connect", "timeout"):
            return Finding(host, "bad", told(answer.message), answer.hint)
    return None


def of_answers(host: str, answers: list[Answered]) -> Finding | None:
    """What a host answers, counted by status; ``None`` where it never answered, or ``of_referer`` has more to say."""
    statuses = Counter(filter(None, (answer.status for answer in answers)))
    if any(isinstance(answer, FetchError) and answer.kind == "held" for answer in answers) and not statuses:
        return Finding(host, "warning", "is left alone: it refused before", "Ask again when `aggregator status` says")
    if not statuses:
        return None
    counted = ", ".join(f"{status} ({count} ×)" for status, count in sorted(statuses.items()))
    if REFUSALS & set(statuses):
        return None  # a Referer may make a difference: told by ``of_referer``
    faults = [answer for answer in answers if isinstance(answer, FetchError) and _is_hosts(answer)]
    if not faults:
        return Finding(host, "ok", f"answers {counted}")
    remedy = _slower(host) if faults[0].status in (429, 503) else faults[0].hint
    return Finding(host, "bad", f"answers {counted}: {told(faults[0].message)}", remedy)


def _is_hosts(error: FetchError) -> bool:
    """Whether a status is more likely the host's affair than one address's."""
    return error.status is not None and (error.status in (401, 429, 451) or error.status >= 500)


def of_referer(host: str, probe: Probe, network: Network) -> Finding:
    """What a Referer changes."""
    first, second = _status(probe.first), _status(probe.answer)
    with_it, without = (second, first) if probe.with_referer else (first, second)
    told_of = f"answers {with_it} with a Referer, {without} without"
    if isinstance(probe.first, Page):
        return Finding(host, "ok", told_of)
    if isinstance(probe.answer, Page):
        return Finding(host, "bad", told_of, _referer_remedy(probe, network))
    return Finding(host, "bad", f"{told_of}: it refuses this machine", _slower(host))


def _referer_remedy(probe: Probe, network: Network) -> str:
    if probe.with_referer:
        return f"Give its feeds this line: headers: {{Referer: {referer_of(probe.url)}}}"
    return f"It wants another Referer than ours: change network.referer (now {masked(network.referer)})"


def _slower(host: str) -> str:
    return (
        f"Wait some hours, then poll {host} less often (a longer `every`, network.per_host.interval); "
        "if it stays so, ask from another address (network.proxy)"
    )


def _status(answer: Answered) -> str:
    return str(answer.status or (answer.kind if isinstance(answer, FetchError) else "nothing"))


def of_proxy(network: Network, seen: Seen, environment: tuple[str, ...]) -> Iterator[Finding]:
    """Whether the proxies configured work, and whether one stands in the environment that is not used.

    ``environment`` are the names of the variables there.
    """
    asked = [(feed.proxy, answer) for feed, url, answer in seen.asked() if host_of(url) not in network.connect_to]
    answers = [answer for proxy, answer in asked if proxy is None]
    if network.proxy:
        yield _of_configured("proxy", network.proxy, answers, "network.proxy")
    elif environment:
        yield _of_environment(environment, answers)
    for chosen in dict.fromkeys(one.feed.proxy for one in seen.feeds):
        if chosen:
            names = ", ".join(one.feed.name for one in seen.feeds if one.feed.proxy == chosen)
            mine = [answer for proxy, answer in asked if proxy == chosen]
            yield _of_configured(f"proxy of {names}", chosen, mine, "the feed's `proxy`")


def _of_environment(environment: tuple[str, ...], answers: list[Answered]) -> Finding:
    reached = any(answer.status for answer in answers)
    what = f"{', '.join(environment)} in the environment is not used"
    remedy = "" if reached else "If the network needs it, write it into config.yaml: network.proxy: http://HOST:PORT"
    return Finding("proxy", "ok" if reached or not answers else "warning", what, remedy)


def _of_configured(subject: str, proxy: str, answers: list[Answered], key: str) -> Finding:
    shown = masked(proxy)
    if any(answer.status for answer in answers):
        return Finding(subject, "ok", f"{shown} passes requests on")
    faults = [answer for answer in answers if isinstance(answer, FetchError) and answer.kind in UNREACHED]
    if not faults:
        return Finding(subject, "ok", f"{shown} is configured; nothing was asked through it")
    remedy = f"Check that the proxy runs and that {key} is its address; without the line none is used"
    return Finding(subject, "bad", f"nothing comes through {shown}: {told(faults[0].message)}", remedy)
