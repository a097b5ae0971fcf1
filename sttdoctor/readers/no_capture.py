"""What a file is that is no capture, and what gives one: told by its first bytes, once nothing in it could be read."""

import re
from collections.abc import Iterable

from sttdoctor.readers.logs.wrapping import wrapping_of

RECORD = "record with sttdoctor record: the client connects to it instead of the service, and nothing else changes"

_CHECK = "for audio run: sttdoctor check FILE"
_SCREEN = f"it shows what was on a screen, not what was sent; {RECORD}"
_ITSELF = "send the log or the HAR itself"
_ATTACHED = "give what is attached to it"
_BROWSER = (
    "export a HAR with Chrome's developer tools: open the Network panel before the page connects, then choose Export "
    "HAR"
)
_BURP = rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!DOCTYPE items.{0,2000})?<items burpVersion"
_CONVERT_LIST = "print JSON: tshark -r FILE -Y 'http or websocket' -T json, or give the packets themselves (pcapng)"
_CONVERT = "convert it with Wireshark's tool: editcap -F pcapng FILE FILE.pcapng"
_ROWS = "write its records as JSON, one a line, or as CSV, bytes in base64 or hexadecimal, and give that"
_KEYS = b"t|ts|op|dir|type|time|data|event|timestamp|direction".split(b"|")
_PACKED_MAP, _CBOR_MAP = (
    rb"[%b](?:" % first + b"|".join(re.escape(bytes([begin + len(key)])) + key for key in _KEYS) + rb")"
    for first, begin in ((rb"\x81-\x8f", 0xA0), (rb"\xa1-\xb7\xbf", 0x60))
)
"""A map of MessagePack and of CBOR whose first key is one that messages have."""
_OTHER_PACKETS = (
    rb"snoop\0\0\0|GMBU|RTSS|TRSNIFF data|ObserverPktBuff|XCP\0|\x05VNF|\xaa{4}|TR\0d\0|\x01\x10.{4}Trace Display"
    rb"|\x34\xcd\xb2\xa1|\xa1\xb2\xcd\x34|btsnoop\0|\+-{9}\+-{15}\+-{10}\+\s"
)
"""Of snoop, Network Monitor, Sniffer, Observer, NetXRay, Visual Networks, 5Views, nettl, LANalyzer, btsnoop, K12."""
_NODE = rb"^(?:NET|HTTP|TLS|STREAM|FETCH|UNDICI|WEBSOCKET) \d+: "
_REQUESTS = (
    rb"meta \{\s{1,8}name: [^\n]{0,200}\n|\s*(?:(?:#|//)[^\n]{0,500}\n\s*){0,20}WEBSOCKET wss?://"
    rb"|\s*\{\s*\"(?:info|_type|collection)\":.{0,4000}(?:postman|insomnia)|type: [\w.]{1,40}\.insomnia\.rest/"
)
_CHARLES = rb"\s*\[\s*\{\s*\"status\":\s*\"[A-Z_]{1,40}\",\s*\"method\":"
_MAILBOX = rb"From \S{1,200} {1,2}[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}\r?\n"
_TLS_KEYS = rb"(?:#[^\n]{0,200}\n)*(?:CLIENT_RANDOM|(?:CLIENT|SERVER)_[A-Z_0-9]{1,40}) [0-9a-fA-F]{64} "
_MAIL = (
    rb"(?:"
    + _MAILBOX
    + rb")?(?:[A-Z][A-Za-z-]{1,40}:[^\n]{0,2000}\n|[ \t][^\n]{0,2000}\n){0,60}?(?i:MIME-Version|Message-ID): "
)
_PERFORMANCE = rb"\s*\{\s*\"(?:traceEvents\":|metadata\":.{0,4000}(?:traceEvents|DevTools))"
_SUBTITLES = rb"WEBVTT\b|1\r?\n\d\d:\d\d:\d\d,\d{3} --> "
_COPIED = rb"\s*(?:curl (?:-|'|\"|https?:|wss?:)|(?:await )?fetch\([\"'])"
_ACCESS = rb"\"(?:GET|POST|HEAD) \S{1,4000} HTTP/[\d.]{1,3}\"|\"WebSocket /\S{0,4000}\" \[accepted\]"
_ACCESS_JSON = (
    rb"^\{(?=[^\n]{0,4000}\"(?:[\w.]{0,20}[Uu]ri|[A-Za-z]{0,20}URI|(?:[\w.]{0,20}_|Request)?[Pp]ath|url)\": ?\")"
    rb"(?=[^\n]{0,8000}\"(?:\w{0,20}[Ss]tatus|response_code|status_code)\": ?\"?[1-5]\d\d\b)"
)
_EVENTS = rb"[\"']?type[\"']?: ?[\"'](?:turn\.(?:start|update|end|eager_end|resume)|flush_done|transcript)[\"']"
_SYSTEM_CALL = rb"^(?:\[?[\w ]{0,20}\d\]? +)?(?:[\d:.]{8,20} )?(?:read|write|recv|send|recvfrom|sendto)\(\d{1,5}, \""

_DATA: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), f"{what}, which is not read; {advice}")
    for pattern, what, advice in (
        (rb"SQLite format 3\x00", "a database of SQLite", "print it: sqlite3 FILE .dump > FILE.sql"),
        (rb"PAR1", "a table of Parquet", _ROWS),
        (rb"ARROW1\x00\x00|\xff{4}.{2}\x00\x00\x10\x00\x00\x00", "a table of Arrow", _ROWS),
        (rb"Obj\x01", "a file of Avro", _ROWS),
        (rb"ORC.{0,3}[\x00-\x1f]", "a table of ORC", _ROWS),
        (rb"\x93NUMPY", "an array of NumPy", f"for audio write its samples: sttdoctor check FILE; otherwise {_ROWS}"),
        (rb"\x89HDF\r\n\x1a\n", "a file of HDF5", _ROWS),
        (rb"\x80[\x02-\x05](?:\x95.{8})?[\]\}c(\x8c]", "a pickle of Python, which would run as a program", _ROWS),
        (
            rb".{3}\x00[\x01-\x13](?:_id|[a-z_]{2,30})\x00",
            "a dump of MongoDB (BSON)",
            "print it: bsondump FILE > FILE.json",
        ),
        (_PACKED_MAP, "a file of MessagePack", _ROWS),
        (_CBOR_MAP, "a file of CBOR", _ROWS),
        (rb"\xac\xed\x00\x05.{0,60}com\.xk72\.charles", "a session of Charles", RECORD),
        (rb"\xac\xed\x00\x05", "objects of Java", _ROWS),
        (
            rb"ElfFile\x00",
            "an event log of Windows",
            "print it: Get-WinEvent -Path FILE -Oldest | Format-List TimeCreated, Message > FILE.txt",
        ),
        (_REQUESTS, "a collection of requests", RECORD),
        (rb"metric_name,timestamp,metric_value,", "a file of metrics of k6, which counts messages", RECORD),
        (rb"\{\"type\":\"Metric\",\"data\":", "a file of metrics of k6, which counts messages", RECORD),
        (
            rb"#separator \\x09\n",
            "a log of Zeek, which shows connections, not messages",
            "give the packets themselves (pcapng)",
        ),
    )
)
"""What holds records in a form that is not read, or none, though words of messages may be found in it."""

_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), f"{what}, no capture; {advice}")
    for pattern, what, advice in (
        (rb"RIFF.{4}WAVE", "a WAV file", _CHECK),
        (rb"RIFF.{4}AVI ", "an AVI file", _SCREEN),
        (rb"RIFF.{4}WEBP|II\*\x00|MM\x00\*|.{4}ftyp(?:hei[cx]|mif1|avif)", "a picture", _ITSELF),
        (rb"FORM.{4}AIF", "an AIFF file", _CHECK),
        (rb"fLaC", "a FLAC file", _CHECK),
        (rb"OggS", "an Ogg file", _CHECK),
        (rb"ID3|\xff[\xfb\xf3\xf2]", "an MP3 file", _CHECK),
        (rb".{4}ftyp(?:M4A|M4B)", "an MPEG-4 audio file", _CHECK),
        (rb".{4}ftypqt", "a QuickTime film", _SCREEN),
        (rb".{4}ftyp", "an MPEG-4 file", _SCREEN),
        (rb"\x1aE\xdf\xa3", "a WebM or Matroska file", _SCREEN),
        (rb"%PDF-", "a PDF file", _ITSELF),
        (rb"\{\\rtf", "a document of a word processor", _ITSELF),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document or a mail of Microsoft Office", _ITSELF),
        (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8", "a picture", _ITSELF),
        (rb"H4sI[A-Za-z0-9+/\r\n]{20}", "a packed file in base64", "turn it back: base64 -d FILE > FILE.gz"),
        (rb"(?:1MOyoQ|Cg0NCg)[A-Za-z0-9+/]{20}", "packets in base64", "turn them back: base64 -d FILE > FILE.pcap"),
        (rb"\x28\xb5\x2f\xfd", "a file packed by zstd", "unpack it first: zstd -d FILE"),
        (rb"\x04\x22\x4d\x18", "a file packed by lz4", "unpack it first: lz4 -d FILE"),
        (
            rb"\x5d\x00\x00.{2}(?:\xff{8}|.{5}\x00{3})",
            "a file packed by lzma",
            "unpack it first: xz -d -F lzma FILE",
        ),
        (rb"7z\xbc\xaf\x27\x1c|Rar!|\x1f\x8b", "a packed file", "give what is in it"),
        (_OTHER_PACKETS, "a file of packets of another tool", _CONVERT),
        (rb".{257}ustar", "an archive", "give the capture in it, or run sttdoctor triage, which reads archives"),
        (rb"bplist00", "a binary property list or web archive of Apple", _ITSELF),
        (rb"\s*<(?:!DOCTYPE html|html)", "a web page", _ITSELF),
        (_BURP, "an export of Burp", RECORD),
        (rb"\s*<\?xml[^>]{0,200}\?>.{0,4000}<psml\b", "a list of packets that lacks what they hold", _CONVERT_LIST),
        (rb"\s*<\?xml[^>]{0,200}\?>\s*<\?charles ", "a session of Charles", RECORD),
        (rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?<jmeterTestPlan", "a test plan of JMeter, which holds requests", RECORD),
        (rb"\s*<\?xml", "an XML file", RECORD),
        (_CHARLES, "an export of Charles", RECORD),
        (_PERFORMANCE, "a recording of Chrome's Performance panel", _BROWSER),
        (rb"\s*\{\s*\"(?:getUserMedia|PeerConnections)\":", "a dump of chrome://webrtc-internals", _BROWSER),
        (rb"\s*\{\s*\"resource(?:Spans|Metrics|Logs)\":", "an export of OpenTelemetry", RECORD),
        (
            _TLS_KEYS,
            "a file of TLS keys",
            "give it to tshark with the packets: tshark -r FILE -o tls.keylog_file:keys.log -Y 'http or websocket' -T "
            "json > FILE.json",
        ),
        (_MAIL, "a mail", _ATTACHED),
        (_SUBTITLES, "a file of subtitles", "give the capture, and the text with --transcript"),
        (_COPIED, "a request copied from a browser", _BROWSER),
    )
)

_ARCHIVES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), f"{what}, no capture; {advice}")
    for pattern, what, advice in (
        (r"raw/\d{1,9}_[csm]\.(?:txt|xml)", "an archive of Fiddler", RECORD),
        (r"\d{1,9}-meta\.json", "an archive of Charles", RECORD),
        (r"(?:word|xl|ppt)/[^/]{1,100}\.xml|content\.xml", "a document of an office program", _ITSELF),
    )
)
"""By the name of a member."""

_DUMPS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), f"{what}; {advice}")
    for pattern, what, advice in (
        (
            rb"^[\d:. -]{0,30}(?:\w{1,15} {1,8}(?:In|Out|M|B|P) {1,3})?IP6? (?:\([^\n]{1,200}\)\s{1,8})?"
            rb"\S{1,80} > \S{1,80}: Flags \[",
            "what tcpdump prints, which is not read",
            "let it write the packets themselves: tcpdump -i any -s 0 -w FILE",
        ),
        (
            rb"^[<>] \d{4}/\d\d/\d\d [\d:.]{8,18} {1,2}length=\d{1,9} from=\d",
            "what socat prints as text, which is not read",
            "print the bytes: socat -x",
        ),
        (
            rb"^(?:\S{0,200}/)?[\da-fA-F:.]{5,45}\.\d{5}-[\da-fA-F:.]{5,45}\.\d{5}: ",
            "what tcpflow prints as text, which is not read",
            "print the bytes: tcpflow -c -D, or let tcpdump write the packets: tcpdump -i any -s 0 -w FILE",
        ),
        (
            rb"^(?:interface|input): \S{1,200}(?: \(|\n(?:filter|match): )"
            rb"|^T (?:[\d/]{10} [\d:.]{8,15} )?[\d.]{7,15}:\d{1,5} -> ",
            "what ngrep prints, which is not read",
            "let tcpdump write the packets themselves: tcpdump -i any -s 0 -w FILE",
        ),
        (
            rb"^Frame \d{1,9}: (?:Packet, )?\d{1,9} bytes on wire",
            "the packets as tshark describes them, which is not read",
            _CONVERT_LIST,
        ),
        (
            rb"^={20,100}\r?\nFollow: |\Apeers:\s*\n\s{1,8}- peer: 0",
            "the text of a stream as Wireshark follows it, which is not read",
            "save it as YAML, or the packets themselves (pcapng)",
        ),
        (
            rb"\A(?:\"?[a-z_]{2,20}\.[a-z_.]{2,40}\"?[\t,; ]){2}|\"frame_raw\": ?\[\s*\"",
            "what tshark prints of fields or raw layers, which is not read",
            _CONVERT_LIST,
        ),
        (
            rb"\A0{1,8}:? (?:d4 ?c3 b2 ?a1|a1 ?b2 c3 ?d4|4d ?3c b2 ?a1|0a ?0d 0d ?0a)\b",
            "a packet capture in hexadecimal",
            "give the packets themselves, or turn it back: xxd -r FILE FILE.pcap",
        ),
        (
            rb"\A(?:GET \S{1,4000} HTTP/1\.1|HTTP/1\.1 101 [^\r\n]{0,60})\r\n(?:[^\r\n]{1,4000}\r\n){1,60}"
            rb"\r\n[\x01\x02\x81\x82]",
            "one direction of a connection, as tcpflow writes it",
            "let tcpdump write the packets of both: tcpdump -i any -s 0 -w FILE",
        ),
        (
            rb" (?:->|<-) WebSocket (?:text|binary) message (?:->|<-) |\]\[\S{1,60}\] client (?:dis)?connect",
            "what mitmdump prints, which is not read",
            "let it write its flows: mitmdump -w FILE",
        ),
        (rb"\b[DVEWI]/nsWebSocket ", "a log of Firefox's sockets, which shows no messages", _BROWSER),
        (_SYSTEM_CALL, "a list of system calls, which is not read", RECORD),
    )
)
"""What shows the bytes of a connection, or a part of them, so that words of its messages can be found in it."""

_DUMP_BEGINS = 4096  # bytes

_LOGS: tuple[tuple[re.Pattern[bytes], str], ...] = _DUMPS + tuple(
    (re.compile(pattern, re.MULTILINE), f"{what}; {advice}")
    for pattern, what, advice in (
        (
            rb"\bConnect(?:ing|ed) to Cartesia STT\b",
            "a log of pipecat's service for the manual endpoint, which logs no events",
            RECORD,
        ),
        (
            rb"\bpipecat\.[a-z]",
            "a log of pipecat above DEBUG, which holds no events",
            "log at DEBUG, or at TRACE to have the updates and the sizes of what is sent",
        ),
        (rb"\blivekit\.(?:plugins|agents)\b", "a log of livekit-agents, which shows no frames at any level", RECORD),
        (
            rb"\bWebsocket connected\b| - goodbye\s*$|(?<!-)\bwebsocket (?:DEBUG|INFO|ERROR)\b",
            "a log of websocket-client without its trace",
            "call websocket.enableTrace(True) before it connects",
        ),
        (
            rb"\bwebsockets\.(?:client|server)\b|^connection (?:open|closed)\s*$",
            "a log of websockets above DEBUG, which holds no frames",
            "log at level DEBUG, with WEBSOCKETS_MAX_LOG_SIZE=10000000 to have the audio too",
        ),
        (rb"\bpicows\.client\b", "a log of picows, which shows no messages", RECORD),
        (rb"^TCP Conversations\b", "a list of connections, which lacks what they held", _CONVERT_LIST),
        (rb"\baiohttp\.[a-z]", "a log of aiohttp, which shows no frames at any level", RECORD),
        (rb"\btrio-websocket\b", "a log of trio-websocket, which shows no frames", RECORD),
        (rb"\bautobahn\b", "a log of Autobahn, which shows sizes only", RECORD),
        (rb"\bhttpcore\.|\bhttpx\b|\burllib3\.", "a log of requests, which shows no frames", RECORD),
        (
            rb"\bUsing selector: \w+",
            "a log of asyncio, which shows no frames, and neither do those of aiohttp and tornado",
            RECORD,
        ),
        (_NODE, "the debug output of Node, which shows no frames", RECORD),
        (
            rb"\btungstenite::",
            "a log of tungstenite above TRACE, which holds no frames",
            "log at TRACE (RUST_LOG=tungstenite=trace)",
        ),
        (rb"<-- 101 |--> GET wss?://\S", "a log of OkHttp's interceptor, which shows the handshake only", RECORD),
        (rb"\bSystem\.Net\.WebSockets\b", "a trace of .NET, which shows no frames", RECORD),
        (rb"\bCFNetwork\b|\bnw_(?:connection|protocol)_", "a log of Apple's CFNetwork, which shows no frames", RECORD),
        (
            rb"\bWebSocket (?:Text|Binary|Connection Close)\b",
            "the list of packets of Wireshark, which lacks what they hold",
            "save the packets themselves (pcapng)",
        ),
        (
            rb"^--\d{4}-\d\d-\d\d [\d:]{8}--  https?://",
            "what wget prints, which lacks the request",
            "ask with curl -v --http1.1, and the headers of a WebSocket",
        ),
        (rb"^== Info: |^(?:=>|<=) (?:Send|Recv) header", "a trace of curl, which shows the handshake only", RECORD),
        (rb"^Connected \(press CTRL\+C to quit\)", "what wscat prints, which has no times", RECORD),
        (rb"\bwebsocat::", "a log of websocat, which shows no frames", RECORD),
        (rb"\bWebSocket connection to '?wss?://", "the console of a browser, which shows no frames", _BROWSER),
        (
            rb"\"event\": ?\"media\".{0,1000}\"streamSid\"",
            "a log of Twilio's media stream, which is what came into the program, not what it sent on",
            RECORD,
        ),
        (
            _EVENTS,
            "a log of a program with an event of the service, too few to judge",
            f"print every message as it comes, with a time, or {RECORD}",
        ),
        (_ACCESS, "an access log, which shows requests, not messages", RECORD),
        (_ACCESS_JSON, "an access log, which shows requests, not messages", RECORD),
        (
            rb"^Traceback \(most recent call last\):|^ {4}at \S.{0,300}:\d{1,6}:\d{1,6}\)?\s*$",
            "the error of a program, which shows how it ended, not what was sent",
            RECORD,
        ),
    )
)


def describe(head: bytes) -> str | None:
    """Return what a file is that begins with these bytes, and what to do; None where it is nothing that is known."""
    wrapping = wrapping_of(head)
    signature = next((sentence for pattern, sentence in _DATA + _SIGNATURES if pattern.match(head)), None)
    texts = (head,) if wrapping is None else (wrapping.head, head)
    logs = (sentence for text in texts for pattern, sentence in _LOGS if pattern.search(text))
    return signature or next(logs, None)


def describe_other(head: bytes) -> str | None:
    """Return what has words of messages in its first bytes and is no log, and what to do; None where it is one.

    That is what a tool printed of the bytes of connections, and files of records in forms that are not read.
    """
    data = next((sentence for pattern, sentence in _DATA if pattern.match(head)), None)
    if data is not None:
        return data
    told = (sentence for pattern, sentence in _DUMPS if pattern.search(head, 0, _DUMP_BEGINS) is not None)
    return next(told, None)


def describe_archive(names: Iterable[str]) -> str | None:
    """Return what an archive is that has members of these names, and what to do; None where it is nothing known."""
    found = (sentence for name in names for pattern, sentence in _ARCHIVES if pattern.fullmatch(name))
    return next(found, None)
