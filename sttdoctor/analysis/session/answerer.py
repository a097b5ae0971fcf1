"""Who answered a handshake that was not accepted: the service, or something between the client and it.

The body decides first: the service answers in JSON of its own, whatever passes it on. Then the headers and pages by
which intermediaries are known, then the statuses that only they give. What proxies and load balancers answer was run
with nginx 1.22 and 1.31, haproxy 2.6, Apache 2.4, caddy 2.6, squid 5.7, tinyproxy 1.11 and mitmproxy 11; other names
are as their vendors document them.
"""

import json
import re
from collections.abc import Mapping
from typing import Literal

from sttdoctor.evidence import Open
from sttdoctor.values import immutable

Who = Literal["service", "between", "unknown"]
Again = Literal["later", "after a change"]

_MAX_BODY = 100_000
_OF_THE_SERVICE = frozenset({"title", "error_code", "request_id", "status_code"})
_GATEWAY_HEADERS = ("x-amzn-requestid", "x-amz-apigw-id", "x-kong-response-latency", "apigw-requestid")

_NAMES: tuple[tuple[str, str], ...] = (
    ("squid", r"squid"),
    ("tinyproxy", r"tinyproxy"),
    ("privoxy", r"privoxy"),
    ("mitmproxy", r"mitmproxy"),
    ("Zscaler", r"zscaler"),
    ("Netskope", r"netskope"),
    ("a Blue Coat proxy", r"blue ?coat|proxysg"),
    ("FortiGate", r"forti(?:gate|guard|net|web|proxy)"),
    ("a Palo Alto firewall", r"palo ?alto|pan-os|globalprotect"),
    ("a Sophos gateway", r"sophos"),
    ("a McAfee gateway", r"mcafee|skyhigh|mwg"),
    ("a Cisco gateway", r"ironport|cisco umbrella|opendns"),
    ("Check Point", r"check ?point|usercheck"),
    ("Cloudflare", r"cloudflare"),
    ("CloudFront", r"cloudfront"),
    ("an AWS load balancer", r"awselb"),
    ("Akamai", r"akamai"),
    ("Azure's front door", r"azure ?front ?door|x-azure-ref"),
    ("Azure's application gateway", r"microsoft-azure-application-gateway"),
    ("Google's load balancer", r"google frontend|1\.1 google|\bgws\b"),
    ("Heroku's router", r"heroku"),
    ("ngrok", r"ngrok"),
    ("Vercel", r"vercel"),
    ("Envoy", r"envoy|upstream connect error"),
    ("Traefik", r"traefik"),
    ("Kong", r"\bkong\b"),
    ("Varnish", r"varnish"),
    ("nginx", r"nginx|openresty"),
    ("haproxy", r"haproxy|no server is available to handle this request"),
    ("Apache", r"apache|proxy error"),
    ("Caddy", r"caddy"),
    ("lighttpd", r"lighttpd"),
    ("IIS", r"microsoft-iis|arr/\d"),
)
"""How an intermediary is called, and by which words in headers or page it is known."""

_LOGIN = re.compile(r"captive|hotspot|portal|log ?in|sign ?in|saml|sso\b|password", re.IGNORECASE)
_BLOCKED = re.compile(r"block|denied|forbidden|not allowed|categor|firewall|web ?filter|policy", re.IGNORECASE)
_PAGE = re.compile(r"^\s*(?:<!doctype html|<html|<head|<\?xml|<!--)", re.IGNORECASE)


@immutable
class Advice:
    """What a status of an intermediary means.

    Attributes:
        meaning: Half a sentence.
        fix: What to do first.
        again: Whether the same handshake may work later, or only after somebody changed something.
    """

    meaning: str
    fix: str
    again: Again


_UPGRADE = (
    "Let the proxy pass the WebSocket upgrade: in nginx proxy_http_version 1.1 with the headers Upgrade and Connection "
    '"upgrade", in Apache upgrade=websocket, in lighttpd proxy.header = ("upgrade" => "enable"), at a TLS-inspecting '
    "proxy an exception for api.cartesia.ai. To prove it, connect once without HTTP(S)_PROXY, or from another network."
)
_DOWN = (
    "Retry with pauses that double. If it persists, check the proxy or load balancer that answered (its log, and "
    "whether it reaches the service); if it is not yours, check the vendor's status page."
)
PORTAL = (
    "Open any web page on that machine and log in, or ask the network's owner to let api.cartesia.ai through; then "
    "reconnect. A WebSocket upgrade never gets through a redirect or a login page."
)
_ALLOW = (
    "Ask whoever runs that proxy or firewall to allow wss://api.cartesia.ai (port 443, CONNECT and the WebSocket "
    "upgrade). The key is not at fault: the request never reached the service."
)
_ROUTE = (
    "Correct the route of the proxy or gateway that answered: it must pass /stt/turns/websocket on to "
    "wss://api.cartesia.ai, with its query and as a WebSocket upgrade."
)
_LOGIN_PROXY = (
    "Give the proxy its user name and password (in HTTPS_PROXY, or as the client's proxy option). The proxy itself "
    "asks for them; the service's key is not at fault."
)
_SIZE = "Send less in the handshake (cookies, long tokens, keyterms), or raise the proxy's limit for headers and URL."
_SLOW = (
    "Find out why the proxy or load balancer waited so long: the service behind it did not answer in time. Retry "
    "after a pause; give the client's handshake a timeout below the proxy's (50 to 60 s)."
)
_TLS = "Check the certificate and the TLS settings between that proxy and the service; retrying will not help."

Setting = Literal["upgrade", "answer", "idle", "size", "rate", "allow"]

_NGINX_UPGRADE = (
    'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; in the '
    "location that has the proxy_pass"
)
SETTINGS: Mapping[str, Mapping[Setting, str]] = {
    "nginx": {
        "upgrade": _NGINX_UPGRADE,
        "answer": f"proxy_pass with the right scheme (http or https) and port, proxy_ssl_server_name on for TLS, and "
        f"{_NGINX_UPGRADE}; its error log says which",
        "idle": "proxy_read_timeout 1h",
        "size": "large_client_header_buffers 4 32k",
        "rate": "limit_req and limit_conn",
        "allow": "deny, allow, auth_basic or limit_except in the location",
    },
    "haproxy": {
        "upgrade": "no http-request del-header Upgrade or Connection",
        "answer": "the line server of the backend: its address and port, ssl where the port speaks TLS, and check",
        "idle": "timeout tunnel 1h",
        "size": "tune.bufsize 32768",
        "rate": "http-request deny deny_status 429 and what it counts",
        "allow": "http-request deny",
    },
    "Apache": {
        "upgrade": "ProxyPass / http://…/ upgrade=websocket with mod_proxy_http (2.4.47 and later)",
        "answer": "ProxyPass / http://…/ upgrade=websocket, with mod_proxy and mod_proxy_http loaded (a2enmod "
        "proxy_http), and SSLProxyEngine on where the address is https; its error log says which",
        "idle": "ProxyTimeout 3600, or timeout=3600 behind the ProxyPass",
        "size": "LimitRequestLine and LimitRequestFieldSize",
        "allow": "Require in the Location, or what mod_security or mod_evasive refuse",
    },
    "lighttpd": {
        "upgrade": 'proxy.header = ("upgrade" => "enable")',
        "answer": "host and port in proxy.server",
        "idle": "server.max-read-idle and server.max-write-idle",
        "size": "server.max-request-field-size",
    },
    "Caddy": {
        "answer": "the address behind reverse_proxy, with https:// only where that port speaks TLS; its log says which",
    },
    "Varnish": {"upgrade": "return (pipe) in vcl_recv for req.http.upgrade", "idle": "the parameter pipe_timeout"},
    "squid": {"allow": "acl Safe_ports, acl SSL_ports and http_access", "idle": "read_timeout"},
    "tinyproxy": {"allow": "ConnectPort and Filter", "idle": "Timeout"},
}
"""What is to be set where a known product stands between, in its own words.

The upgrade was run with nginx 1.22, haproxy 2.6, Apache 2.4.71, lighttpd 1.4.69 and caddy 2.6; the rest are settings by
their documented names, not run.
"""

_OF_STATUS: Mapping[int, Setting] = {
    **dict.fromkeys((500, 502, 503), "answer"),
    **dict.fromkeys((413, 414, 431, 494), "size"),
    429: "rate",
    403: "allow",
}
"""What a status asks to look at; the other ones that want the upgrade passed on are told by their advice."""


def name_setting(name: str | None, status: int | None) -> str:
    """Say what to set in the product that answered a handshake with this status; empty where that is not known."""
    if name is None or status is None or name not in SETTINGS or status not in STATUSES:
        return ""
    what: Setting | None = _OF_STATUS.get(status, "upgrade" if STATUSES[status].fix is _UPGRADE else None)
    said = SETTINGS[name].get(what) if what is not None else None
    if name == "nginx" and status in _OF_NGINX:
        what, said = _OF_NGINX[status]
    return f" If {name} is yours, {_LEADS[what]} {said}." if what is not None and said else ""


_LEADS: Mapping[Setting, str] = {
    "upgrade": "set what passes the upgrade on:",
    "answer": "and the same comes every time, check",
    "idle": "raise its limit:",
    "size": "raise its limit:",
    "rate": "look in its configuration for what refuses so many requests, and raise it:",
    "allow": "look in its configuration for what refuses this request, and let it through:",
}
"""What to do with a setting; those that refuse are to be found and not to be set."""
_OF_NGINX: Mapping[int, tuple[Setting, str]] = {
    413: ("size", "client_max_body_size"),
    503: (
        "rate",
        "limit_req and limit_conn (503 is what both answer unless limit_req_status or limit_conn_status is set)",
    ),
}
"""Where nginx gives a status for a reason of its own: one without an answer from behind it is 502."""


STATUSES: Mapping[int, Advice] = {
    200: Advice("answered with a page instead of opening the WebSocket", PORTAL, "after a change"),
    300: Advice("redirected the client", PORTAL, "after a change"),
    301: Advice("redirected the client permanently", PORTAL, "after a change"),
    302: Advice("redirected the client", PORTAL, "after a change"),
    303: Advice("redirected the client", PORTAL, "after a change"),
    307: Advice("redirected the client", PORTAL, "after a change"),
    308: Advice("redirected the client permanently", PORTAL, "after a change"),
    400: Advice("did not understand the request", _UPGRADE, "after a change"),
    401: Advice("wants a login of its own", _LOGIN_PROXY, "after a change"),
    403: Advice("does not let the request through", _ALLOW, "after a change"),
    404: Advice("knows no such path", _ROUTE, "after a change"),
    405: Advice("does not accept this method, so it did not see a WebSocket upgrade", _UPGRADE, "after a change"),
    406: Advice("does not let this kind of request through", _ALLOW, "after a change"),
    407: Advice("wants a login for the proxy", _LOGIN_PROXY, "after a change"),
    408: Advice("waited too long for the request", _SLOW, "later"),
    410: Advice("knows the path as gone", _ROUTE, "after a change"),
    411: Advice("treated the upgrade as an ordinary request", _UPGRADE, "after a change"),
    413: Advice("found the request too large", _SIZE, "after a change"),
    414: Advice("found the URL too long", _SIZE, "after a change"),
    417: Advice("does not let this kind of request through", _ALLOW, "after a change"),
    421: Advice("does not serve this host on that connection", _ROUTE, "after a change"),
    425: Advice("does not accept a request that early in the connection", _DOWN, "later"),
    426: Advice("did not see a WebSocket upgrade", _UPGRADE, "after a change"),
    429: Advice("lets no more requests through for now", _DOWN, "later"),
    431: Advice("found the headers too large", _SIZE, "after a change"),
    451: Advice("does not let the request pass for legal reasons", _ALLOW, "after a change"),
    460: Advice("saw the client leave before it had an answer", _SLOW, "later"),
    464: Advice("got a version of HTTP that it does not pass on", _UPGRADE, "after a change"),
    494: Advice("found the headers too large", _SIZE, "after a change"),
    495: Advice("did not accept the client's certificate", _TLS, "after a change"),
    496: Advice("wants a client certificate", _TLS, "after a change"),
    497: Advice("was addressed without TLS on a TLS port", "Connect with wss:// instead of ws://.", "after a change"),
    499: Advice("saw the client leave before it had an answer", _SLOW, "later"),
    500: Advice("failed", _DOWN, "later"),
    501: Advice("does not know how to pass on an upgrade", _UPGRADE, "after a change"),
    502: Advice("got no usable answer from the server behind it", _DOWN, "later"),
    503: Advice("has no server behind it that answers", _DOWN, "later"),
    504: Advice("timed out waiting for the server behind it", _SLOW, "later"),
    505: Advice("used a version of HTTP that cannot open a WebSocket", _UPGRADE, "after a change"),
    508: Advice("sends the request round in a loop", _ROUTE, "after a change"),
    509: Advice("has used up its bandwidth", _DOWN, "later"),
    510: Advice("does not know how to pass on an upgrade", _UPGRADE, "after a change"),
    511: Advice("wants a login for the network", PORTAL, "after a change"),
    520: Advice("got no usable answer from the server behind it", _DOWN, "later"),
    521: Advice("found no server listening behind it", _DOWN, "later"),
    522: Advice("could not connect to the server behind it", _DOWN, "later"),
    523: Advice("could not reach the server behind it", _DOWN, "later"),
    524: Advice("timed out waiting for the server behind it", _SLOW, "later"),
    525: Advice("could not agree on TLS with the server behind it", _TLS, "after a change"),
    526: Advice("did not accept the certificate of the server behind it", _TLS, "after a change"),
    527: Advice("lost its connection to the server behind it", _DOWN, "later"),
    529: Advice("is overloaded", _DOWN, "later"),
    530: Advice("could not find the server behind it", _DOWN, "later"),
    561: Advice("could not check the client's login", _LOGIN_PROXY, "after a change"),
    598: Advice("timed out waiting for the server behind it", _SLOW, "later"),
    599: Advice("timed out connecting to the server behind it", _SLOW, "later"),
}
"""What a status means that an intermediary gave.

From RFC 9110 and RFC 6585; 494 to 499 are nginx's, 460, 464 and 561 those of AWS load balancers, 520 to 530 are
Cloudflare's, 509, 529, 598 and 599 informal ones of hosts and proxies.
"""

_ONLY_BETWEEN = frozenset(
    {*range(200, 400), 405, 407, 411, 421, 426, 431, 460, 464, *range(494, 500), *range(501, 600)}
)
"""Statuses that come from between, as long as nothing shows that the service itself gave them."""


@immutable
class Answerer:
    """Who answered.

    Attributes:
        who: `service`, `between`, or `unknown` where nothing tells (then the service is the likely one).
        name: What the intermediary calls itself, None where it does not say.
        proof: What shows who it was; empty for `unknown`.
    """

    who: Who
    name: str | None = None
    proof: str = ""


_PLAIN = re.compile(
    r"plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|plain HTTP to an SSL-enabled",
    re.IGNORECASE,
)


def wants_tls(opened: Open) -> bool:
    """Whether a server says that it was spoken to without TLS (nginx, Go, Apache)."""
    return opened.status == 497 or _PLAIN.search((opened.body or "")[:_MAX_BODY]) is not None


def find_answerer(opened: Open) -> Answerer:
    """Tell who answered a handshake with a status other than 101."""
    status, headers, body = opened.status or 0, opened.headers, (opened.body or "")[:_MAX_BODY]
    is_page = bool(_PAGE.match(body)) or (
        "html" in headers.get("content-type", "").lower() and headers.get("content-length") != "0"
    )
    name = find_name(headers, body)
    if _is_of_the_service(headers, body):
        return Answerer("service", None, "the body is the service's JSON")
    proxied = next(
        (header for header in ("x-squid-error", "proxy-authenticate", "proxy-status") if header in headers), ""
    )
    if proxied:
        return Answerer("between", name, f"the header {proxied}")
    if status in _ONLY_BETWEEN:
        return Answerer("between", name, f"status {status}, which the service itself does not give")
    if is_page:
        return Answerer("between", name, "a web page, where the service answers in JSON")
    if 300 <= status < 600 and headers.get("www-authenticate", "").lower().startswith(("basic", "ntlm", "negotiate")):
        return Answerer("between", name, "a login that the service does not have")
    return Answerer("unknown")


def describe_page(opened: Open) -> str:
    """Return what the page says it is for: a login, a block, or nothing."""
    text = (opened.body or "")[:_MAX_BODY] + " " + opened.headers.get("location", "")[:1000]
    if _LOGIN.search(text):
        return "login"
    return "block" if _BLOCKED.search(text) else ""


def _is_of_the_service(headers: Mapping[str, str], body: str) -> bool:
    if "cartesia-request-id" in headers:
        return True
    if any(header in headers for header in _GATEWAY_HEADERS):
        return False
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(message, dict):
        return False
    return bool(_OF_THE_SERVICE & message.keys()) or {"error", "message"} <= message.keys()


def find_passed(opened: Open | None) -> str | None:
    """Return the known product that a handshake passed, by the headers of its answer; None where none shows."""
    return find_name(opened.headers, "") if opened is not None else None


def find_name(headers: Mapping[str, str], body: str) -> str | None:
    """Return what a proxy or load balancer that answered calls itself; None where no known one does."""
    told = [headers[key] for key in ("x-squid-error", "via", "server", "x-cache", "x-powered-by") if key in headers]
    marks = [
        key
        for key in headers
        if key.startswith(("cf-", "x-amz-cf", "x-azure", "ngrok-", "x-vercel", "x-kong", "x-envoy"))
    ]
    text = " ".join([*told, *(mark.replace("cf-", "cloudflare ") for mark in marks), body[:4000]]).lower()
    return next((name for name, pattern in _NAMES if re.search(pattern, text)), None)
