"""Secrets in text behind a name or words: `api_key=...`, `["x-api-key", "..."]`, `Invalid API key ...`."""

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

from sttdoctor.redact.names import KINDS, TAIL, any_of, is_other_key, is_secret_name, may_be_count
from sttdoctor.redact.shapes import FLAGS, MOST, OPTION, Span, end_of
from sttdoctor.redact.values import REDACTED, SCHEMES, is_made_up, is_opaque, is_scheme, is_unset

_NAME_WORD = r"(?:[a-z]{1,16}|[A-Z][a-z]{1,15}|[A-Z]{1,8}|[vV]?[0-9]{1,2}|[a-z]{1,8}[0-9])"
_PLAIN = re.compile(rf"{_NAME_WORD}(?:[-_+:/]{_NAME_WORD}){{0,5}}")
_MOST = 100  # names that are kept at most
_ANNOUNCES = re.compile(rf"{SCHEMES}", re.IGNORECASE)


def redact_protocols(value: str) -> str:
    """Keep names of protocols (`graphql-ws`, `v1.stt`, `token`), replace what is none or follows that of a secret.

    Args:
        value: Of the header: names, with commas between them.
    """
    kept: list[str] = []
    announced = False
    for item in value.split(",", _MOST)[:_MOST]:
        shown = item.strip() if not announced or is_unset(item) else REDACTED
        shown = _without_key(shown)
        announced = bool(_ANNOUNCES.fullmatch(shown)) or is_secret_name(shown)
        kept.append(shown)
    return ", ".join(kept)


def _without_key(name: str) -> str:
    """Return a name up to the first part that no name would have: `api-key.REDACTED`."""
    parts = name.split(".")
    for number, part in enumerate(parts):
        if (number and is_secret_name(parts[number - 1])) or not (_PLAIN.fullmatch(part) or is_unset(part)):
            return ".".join([*parts[:number], REDACTED])
    return name


_KIND = any_of(*KINDS)
_NAMING = any_of(*KINDS, "basic", "digest")
_FOLDED = r"(?:(?:\r?\n|(?:\\r)?\\n)[ \t]++)?"  # a header that goes on in the next line
_ASSIGNING = rf"[\"'`\]\\]*+(?P<by>[ \t]*+(?:%3[ad]|[:=])[:=>]*+[ \t]*+{_FOLDED}|>(?=[^\s<]))"
_PAIRING = (
    r"\\*[\"'](?:\s*+,\s*+|\s++)(?P<value>[bu]?\\*[\"']?(?:value|val|content)\\*[\"']?\s*+[:=]\s*+)?(?=[bu]?\\*[\"'])"
)
_WORDS = any_of(
    *("provided", "supplied", "given", "presented", "received", "sent", "used", "value", "string", "id", "is", "was"),
    *("of", "named", "called", "equals", "ending (?:in|with)", "begin(?:s|ning) with", "start(?:s|ing) with"),
)
# what may be a secret behind such words: it is quoted, or no plain word, or may have letters of both cases, or ends
_ANNOUNCING = (
    rf"(?P<announced>(?:(?:\s++(?:{_WORDS})){{1,3}}+(?:\s*+[:=]\s*+|\s++)|\s++|,\s*+)[(\[<]?)"
    rf"(?=[\"'`\\]|[a-z]*+[^a-z\s.,;:!?(){{}}\[\]<>]|(?!{_KIND})[a-z]{{6}}|[a-z]{{3,}}+\W*+(?:$|[\r\n]))"
)
_MARK = r"(?:[bu]?(?P<mark>(?:\"\"|'')(?=\w)|\\*[\"'`]))?"  # doubled as in CSV and SQL
_SCHEME = rf"(?P<scheme>(?:{SCHEMES})[ \t]++(?=[^\s\"',;]))?"
# the name, what stands between, the quote that opens, the scheme: what follows is the secret
_NAMED = re.compile(
    rf"(?P<name>{_NAMING})(?P<tail>{TAIL})(?P<more>(?:[_-][a-z0-9]+){{1,4}}+)?"
    rf"(?=[\"'`\]\\\s:=%>,])(?:{_ASSIGNING}|{_PAIRING}|{_ANNOUNCING}){_MARK}{_SCHEME}"
)
_WRITTEN = re.compile(rf"(?P<name>{_KIND})(?P<tail>{TAIL}){_ASSIGNING}{_MARK}{_SCHEME}")

_TO_QUOTE = {  # which may stand within as two
    '"': re.compile(r'(?:[^"\\\r\n]++|\\.|"")*+'),
    "'": re.compile(r"(?:[^'\\\r\n]++|\\.|'')*+"),
    "`": re.compile(r"[^`\r\n]*+"),
}
_TO_ESCAPED_QUOTE = {mark: re.compile(rf"[^{mark}\r\n]*+") for mark in _TO_QUOTE}


def _bare(dividing: str, ending: str) -> re.Pattern[str]:
    """Return a pattern of a value without quotes.

    Args:
        dividing: Marks that end it before a blank or another name, and else belong to it.
        ending: Marks that end it, and those.
    """
    return re.compile(
        rf"(?:[^\s\"'<>{ending}\\]++|\\(?![\"'nrt])"
        rf"|[{dividing}](?![\s\"'<>\\,;&]|$)(?![\w.%\[\]-]{{1,64}}(?:=(?!=|[\s\"'&,;]|$)|:)))*+"
    )


_BARE, _IN_ADDRESS = _bare(",;&", ",;&"), _bare(";", ";&")
_TO_LINE_END = re.compile(r"[^\r\n]*+(?:\r?\n[ \t]++[^\r\n]*+)*+")
_QUOTED = re.compile(r"[\"']([\w+/=~-]{8,})\\*+[\"']")
_LIST = re.compile(r"\[[^\]\r\n]*+|\{[^}\r\n]*+")
_WORD = re.compile(r"[^\s\"'`<>,;()\[\]{}\\]*+")
_CLOSING = ").]}!?:"
_OF_PARTS = ("digest", "aws4-hmac-sha256", "hawk", "signature", "oauth", "vapid", "gnap")  # schemes

# words that say how a secret is, or go on about it
_STATE = re.compile(
    "a|an|and|are|as|at|auth|authentication|authorization|be|been|but|by|can|cannot|closed|could|did|do|does|error|expired"
    "|expires|expiry|failed|failure|for|format|from|had|has|have|headers?|if|in|incorrect|invalid|is|issued|it|length"
    "|limit|malformed|may|mismatch|missing|must|names?|needed|no|not|of|ok|on|only|open|or|pair|parameter|parsing"
    "|permissions?|please|provided|query|quota|realm|rejected|request|required|revoked|scheme|scopes?|settings|should"
    "|supplied|that|the|this|to|type|unauthorized|undefined|unknown|unset|used|validation|values?|verification|via|was"
    "|were|when|which|will|with|without|would|you|your"
)
_ANNOUNCED = "key|token|secret|passw|passp|passc|pwd|jwt|cred|bearer|basic|digest|ticket|signature"
_ANNOUNCED_KINDS = tuple(_ANNOUNCED.split("|"))
_LONGEST_WORD = 200
_PARAMETER = re.compile(r"[?&;#][\w.%\[\]-]*$")
_BEFORE = 40  # characters before a name that are looked at
_OF_A_TABLE = re.compile(
    r"(?:missing|unknown|unexpected|required|duplicate|extra|unrecogni[sz]ed|unsupported|no such|additional)"
    r"(?:\s+\w+)?\s+$"
)
_ACCUSED = re.compile(
    r"(?:^|\b(?:bad|invalid|wrong|incorrect|unknown|expired|revoked|rejected|unauthori[sz]ed|my|your|using|with)\s)"
    r"\W{0,3}(?:[a-z]{1,12}[\s_-]){0,2}$"
)
_ORDINARY = re.compile(r".*(?:ed|ings?|[ts]ion|ment|[ai]ble|ly|ness|ure|[ae]nce|ity)")
_UNUSUAL = 12  # letters
_UNSAYABLE = re.compile("[b-df-hj-np-tv-xz]{5}|q[^u]|[jv][bcdfghklmnpqstwxz]|[cfgkpqtvwz][jx]|[bdfjkmpqvwxz]{3}")
_TO_THE_END = re.compile(r"\W*+(?:$|[\r\n])")

# who, and the password, of whatever command: those that are known are read word by word
_LOGIN = re.compile(
    rf"{OPTION}(?:-(?:(?:proxy-)?user|(?:basic-)?auth)|(?P<auth>a)|(?P<flags>{FLAGS}{{0,10}}+)[uU])"
    r"(?:(?P<apart>[ \t=\"',\\]++)|(?<=[uU]))(?P<user>(?!-)[^\s\"'`:/@]{1,100}+)(?::(?!//)(?P<password>[^\s\"'`]*+))?+"
)
_LONGEST_OPTION = 16
_PORT_OR_TIME = re.compile(r"[0-9]{1,5}(?:[:/.,;)\]].*)?")
_DENIED = re.compile(
    rf"(?<!\s)\s++(?:is|was)\s++(?:no|not\s++an?|an?)\s++(?:(?:in)?valid|expired|revoked|unknown|wrong|incorrect)\s++"
    rf"(?:[a-z]{{1,12}}\s++){{0,2}}(?:{_KIND})\b"
)
_LAST_WORD = re.compile(r"[^\s\"'`(]++$")
_NAMED_IN_CODE = re.compile(r"[?&;#]([\w.\[\]+-]*+%[^?&;#=\s\"'<>]*+)=")
_PROTOCOLS = re.compile(r"sec-websocket-protocol[\"'\\]*+[ \t]*+[:=][ \t]*+[\"'\\]*+([^\r\n\"'\\]*+)")


def find(text: str, low: str, spoken: bool) -> Iterator[Span]:
    """Yield where secrets stand behind a name or words.

    Args:
        text: As it is.
        low: The same in lower case, of the same length.
        spoken: Whether somebody said it: then only what is written as nobody says it is one.
    """
    pattern = _WRITTEN if spoken else _NAMED
    at = number = searched = 0
    while (found := pattern.search(low, at)) is not None:
        number += 1
        if number > MOST:
            yield found.start(), len(text)
            return
        at = found.end()
        if is_other_key(low, found.start()):
            continue
        if spoken and not _is_written(text, found):
            continue
        if found["by"] and _is_of_session(text, found):
            if at >= searched:  # what stands within one session was looked through with it
                searched = at + len(_session_at(text, at))
                yield from _find_in_session(text, at, searched)
            continue
        if found["by"]:
            span = _find_assigned(text, low, found)
        elif found["announced"]:
            span = _find_announced(text, low, found)
        else:
            span = _find_paired(text, found)
        if span is not None:
            yield span
            at = max(at, span[1])


def _is_written(text: str, found: re.Match[str]) -> bool:
    """Whether a name and a value stand together as nobody says them: `token=a`, `api_key: a`, `"token": "a"`."""
    begin, end, by = found.start(), found.end(), found["by"]
    before, value = text[max(0, begin - 1) : begin], _WORD.match(text, end, end + _LONGEST_WORD)
    if before == "_" or found.start("by") > found.end("tail"):  # joined as nobody says it, or in quotes
        return True
    if before == "-" and value is not None and is_opaque(value[0]):
        return True
    return by.startswith(("=", "%3d")) and by == by.strip() and not text[end : end + 1].isspace()


def _find_assigned(text: str, low: str, found: re.Match[str]) -> Span | None:
    """Return where the value of a name stands, None where it is no secret."""
    begin, name, by = found.end(), found["name"], found["by"]
    if name in ("basic", "digest"):
        return None
    if found.re is _NAMED and found["more"] and not _is_long_name(low, found):
        return None
    end = _value_end(text, found, name == "cookie")
    value = text[begin:end]
    if value in ("", "[", "{") or is_unset(value) or is_scheme(value):
        return None
    if value.isdigit() and may_be_count(name + found["tail"], value):
        return None
    if by[-1] == " " and not found["mark"] and _STATE.fullmatch(value.lower()):
        return None  # as in: invalid token: expired
    if by == ": " and not is_opaque(value) and _OF_A_TABLE.search(low, max(0, found.start() - _BEFORE), found.start()):
        return None  # as in: missing key: model
    return begin, end_of(text, end)


def _is_of_session(text: str, found: re.Match[str]) -> bool:
    """Whether the value is what belongs to a session, whose parts have names of their own."""
    return found["name"].startswith("sess") and text.startswith("{", found.end())


def _session_at(text: str, begin: int) -> str:
    inside = _LIST.match(text, begin)
    return inside[0] if inside else ""


def _find_in_session(text: str, begin: int, end: int) -> Iterator[Span]:
    """Yield where values of a session stand that look like keys."""
    for word in islice(_QUOTED.finditer(text, begin, end), MOST):
        if is_made_up(word[1]):
            yield word.span(1)


def _is_long_name(low: str, found: re.Match[str]) -> bool:
    """Whether a name that goes on behind a kind of secret is that of a secret all the same: `api_key_of_x`."""
    return is_secret_name(low[max(0, found.start() - 8) : found.end("more")])


def _value_end(text: str, found: re.Match[str], whole_line: bool = False) -> int:
    """Return where the value ends that begins behind a match."""
    begin, mark, scheme = found.end(), found["mark"], found["scheme"]
    if mark:
        inside = (_TO_QUOTE if len(mark) == 1 else _TO_ESCAPED_QUOTE)[mark[-1]].match(text, begin)
        shown = inside[0] if inside else ""
        return begin + len(shown.rstrip("\\") if len(mark) > 1 else shown)
    if text[begin : begin + 1] in ("[", "{"):
        pattern = _LIST
    elif whole_line or (scheme and scheme.startswith(_OF_PARTS)):
        pattern = _TO_LINE_END
    else:
        in_address = _PARAMETER.search(text, max(0, found.start() - _BEFORE), found.start())
        pattern = _BARE if in_address is None else _IN_ADDRESS
    value = pattern.match(text, begin)
    return begin + len(value[0].rstrip(_CLOSING)) if value else begin


def _find_paired(text: str, found: re.Match[str]) -> Span | None:
    """Return where the second of two strings stands, the first of which is a name; None where it is no secret."""
    begin, end = found.end(), _value_end(text, found)
    value = text[begin:end]
    return (begin, end) if not is_unset(value) and (found["value"] or is_opaque(value)) else None


def _find_announced(text: str, low: str, found: re.Match[str]) -> Span | None:
    """Return where a secret stands behind words that announce it, None where none does."""
    if not found["name"].startswith(_ANNOUNCED_KINDS) or found["more"]:
        return None
    begin = found.end()
    end = _value_end(text, found) if found["mark"] else _word_end(text, begin)
    value = text[begin:end]
    if len(value) < 3 or is_unset(value):
        return None
    before = low[max(0, found.start() - _BEFORE) : found.start()]
    if found["mark"]:
        told = is_opaque(value) or not (_OF_A_TABLE.search(before) or " " in value or is_secret_name(value))
    elif value.isdigit():
        told = len(value) >= (4 if found["name"].startswith("p") else 8)
    elif found["announced"].startswith(","):
        told = is_opaque(value)
    else:
        told = is_opaque(value) or (
            value.isalpha()
            and found["name"] not in ("basic", "digest")
            and _is_accused(value.lower(), before, low, end)
        )
    if not told:
        return None
    rest = _WORD.match(text, end) if len(value) >= _LONGEST_WORD else None
    return begin, end_of(text, rest.end() if rest else end)


def _word_end(text: str, begin: int) -> int:
    """Return where a word ends, or its first characters."""
    word = _WORD.match(text, begin, begin + _LONGEST_WORD)
    return begin + len(word[0].rstrip(".:!?…*")) if word else begin


def _is_accused(word: str, before: str, low: str, end: int) -> bool:
    """Whether a word without any mark of a secret is one all the same: `bad key abc`, or none that anybody can say."""
    if _STATE.fullmatch(word) or _ORDINARY.fullmatch(word):
        return False
    if len(word) >= _UNUSUAL and _UNSAYABLE.search(word):
        return True
    return bool(_ACCUSED.search(before)) and _TO_THE_END.match(low, end) is not None


def find_named_in_code(text: str) -> Iterator[Span]:
    """Yield where secrets stand in a query whose names are percent-encoded."""
    at = 0
    while (found := _NAMED_IN_CODE.search(text, at)) is not None:
        at = found.end()
        value = _IN_ADDRESS.match(text, at) if is_secret_name(unquote(unquote(found[1]))) else None
        if value is not None and not is_unset(unquote(value[0])):
            yield value.span()
            at = max(at, value.end())


def find_logins(text: str) -> Iterator[Span]:
    """Yield where a user and a password stand as an option of a command line: `curl -u user:password`."""
    for found in islice(_LOGIN.finditer(text), MOST) if "-" in text else ():
        user, password = found["user"], found["password"]
        if found["flags"]:  # as in: rsync -au host:path, nc -vu host:8080
            told = bool(password) and not (is_unset(password) or _PORT_OR_TIME.fullmatch(password))
            told = told and "a" not in found["flags"] and (found["apart"] is not None or is_opaque(password))
        elif password is None:
            told = is_made_up(user)
        elif not password or found["auth"]:
            told = is_opaque(password or user)
        else:
            told = not is_unset(password) and not (user.isdigit() and password.isdigit())
        if told:
            yield found.start("user"), found.start() + len(found[0].rstrip("\\"))


def is_login(option: str, value: str) -> bool:
    """Whether a word of a command line holds a user and a password.

    Args:
        option: The word before it where that is an option: `-u`, `--user`, `-su`.
        value: The word.
    """
    if len(option) > _LONGEST_OPTION:
        return False
    return any(begin == len(option) + 1 for begin, _ in find_logins(f"{option} {value}"))


def find_denied(text: str, low: str) -> Iterator[Span]:
    """Yield where secrets stand before words that say what they are not: `abc123 is not a valid API key`."""
    for found in islice(_DENIED.finditer(low), MOST) if "valid" in low else ():
        end = found.start() - text.startswith(("'", '"', "`", ")"), found.start() - 1)
        word = _LAST_WORD.search(text, max(0, end - _LONGEST_WORD), max(0, end))
        if word is not None and is_opaque(word[0]):
            yield word.span()


def find_protocols(text: str, low: str) -> Iterator[Span]:
    """Yield where secrets stand among the values of Sec-WebSocket-Protocol."""
    for found in islice(_PROTOCOLS.finditer(low), MOST) if "sec-w" in low else ():
        begin, end = found.span(1)
        if redact_protocols(text[begin:end]) != text[begin:end]:
            yield begin, end
