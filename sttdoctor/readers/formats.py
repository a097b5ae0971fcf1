"""The formats of captures: session JSONL, HAR, packets, debug logs, told apart by their content."""

import io
from collections.abc import Callable
from typing import NamedTuple

from sttdoctor.evidence import Session
from sttdoctor.readers.exchange import holds_exchange, read_exchange
from sttdoctor.readers.har.archive import holds_har, holds_trace, read_har, read_trace, read_zip
from sttdoctor.readers.har.files import holds_messages, holds_zip, read_messages
from sttdoctor.readers.har.protocol import holds_protocol, read_protocol
from sttdoctor.readers.logs.log import KINDS, holds_log, holds_records, read_log
from sttdoctor.readers.mitmproxy import holds_flows, read_flows
from sttdoctor.readers.session_jsonl import holds_rows, read_rows
from sttdoctor.readers.sockets import Wanted
from sttdoctor.readers.wire.net_log import holds_net_log, read_net_log
from sttdoctor.readers.wire.pcap import holds_packets, read_pcap
from sttdoctor.readers.wire.printed import holds_dump, read_dump
from sttdoctor.readers.wire.tshark import holds_packet_list, read_packet_list

Read = Callable[[io.BufferedReader, str | None, Wanted], Session]


class Format(NamedTuple):
    """One format of a capture.

    Attributes:
        label: Words for who gave something else; empty where it is a part of another format.
        holds: Whether the first bytes (unpacked) are its.
        read: Reads one session of it.
    """

    label: str
    holds: Callable[[bytes], bool]
    read: Read


FORMATS = (
    Format("a pcap", holds_packets, read_pcap),
    Format("", holds_dump, read_dump),
    Format("a flow file of mitmproxy", holds_flows, read_flows),
    Format("a net log of Chromium", holds_net_log, read_net_log),
    Format("the JSON of tshark", holds_packet_list, read_packet_list),
    Format("a HAR", holds_har, read_har),
    Format("a trace of Playwright", holds_trace, read_trace),
    Format("events of the DevTools protocol", holds_protocol, read_protocol),
    Format("", holds_messages, read_messages),
    Format("", holds_zip, read_zip),
    Format("session JSONL", holds_rows, read_rows),
    Format("messages with their direction (JSON, CSV, SQL)", holds_exchange, read_exchange),
    Format(f"logs of {', '.join(kind.label for kind in KINDS)}", holds_log, read_log),
)
"""In the order of asking."""


def pick_reader(head: bytes) -> Read:
    """What reads a capture that begins so; of no known format, what finds something further on or says why not."""
    like_rows = head.lstrip()[:1] in (b"", b"{")
    unknown = read_rows if like_rows and not holds_records(head) else read_log
    return next((form.read for form in FORMATS if form.holds(head)), unknown)
