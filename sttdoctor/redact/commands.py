"""Secrets on command lines of programs that take them as an option, in text and in lists of words."""

import re
from collections.abc import Iterable, Iterator

from sttdoctor.redact.shapes import FLAGS, Span
from sttdoctor.redact.values import is_made_up, is_opaque, is_unset

_HTTPIE = frozenset({"http", "https", "xh", "xhs"})
_REGISTRIES = frozenset({"docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oras", "crane"})
_MYSQL = frozenset({"mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "mariadb-admin"})
_COMMANDS = _HTTPIE | _REGISTRIES | _MYSQL | {"curl", "rclone", "sshpass", "wget", "wscat", "websocat"}
_COMMAND = re.compile(rf"(?<![\w.-])(?:{'|'.join(sorted(_COMMANDS, key=len, reverse=True))})(?:\.exe)?(?=[\s\"'`\\,:])")
_LONGEST_NAME = 200  # of a program, with its folders

_LINE = re.compile(
    r"(?:[^\r\n\\^`]++|[\\^](?:\r?\n)?|`(?:(?<=[ \t]`)\r?\n)?|\r(?!\n))*+"
)  # goes on behind a mark at its end
_QUOTED = r"(?:\\++\"[^\"\r\n]*+\"|\\++'[^'\r\n]*+'|\"(?:[^\"\\\r\n]++|\\.)*+\"|'[^'\r\n]*+')"
_WORD = re.compile(rf"{_QUOTED}|(?:(?<=[:=]){_QUOTED}|[^\s\"'`\\]++|\\(?![\r\n]).)++")
_DIVIDING = re.compile(r"[\s,;()\[\]{}\\\"'^|&]*+")
_ENDING = (";", "|", "&")
_DEEPEST = 3  # quotes within quotes

_LOGIN, _CERTIFICATE, _PASSWORD, _OTHER = "login", "certificate", "password", "other"
_CURL = re.compile(
    rf"--(?:(?P<login>(?:proxy-)?user)|(?P<certificate>(?:proxy-)?cert)"
    rf"|(?P<password>(?:proxy-)?(?:pass|tlspassword)|oauth2-bearer))(?:=|$)"
    rf"|-(?:{FLAGS}|X[A-Z]{{3,7}}(?=u))*+(?:(?P<flag_login>[uU])|(?P<flag_certificate>E))"
)
_OPTIONS = {
    **dict.fromkeys(_HTTPIE, re.compile(r"(?:--auth(?:=|$)|-a)(?P<login>)|(?:--auth-type(?:=|$)|-A)(?P<other>)")),
    **dict.fromkeys(_MYSQL, re.compile(r"(?:-p|--password=)(?=.)(?P<password>)")),
    "curl": _CURL,
    "login": re.compile(r"(?:--password(?:=|$)|-p)(?P<password>)"),
    "rclone": re.compile(r"--(?:[a-z0-9]{1,20}-){0,4}pass(?:word)?(?:=|$)(?P<password>)"),
    "sshpass": re.compile(r"-p(?P<password>)|-[Pfd](?P<other>)"),
    "wget": re.compile(r"--(?:[a-z]{1,8}-){0,2}password(?:=|$)(?P<password>)"),
    "wscat": re.compile(r"--auth(?:=|$)(?P<login>)"),
    "websocat": re.compile(r"--basic-auth(?:=|$)(?P<login>)"),
}
_OF_CONTAINERS = frozenset({"run", "exec", "compose", "build", "create"})
_COLON = re.compile(":(?!//)|%3[aA]")
_TALK = frozenset({"a", "and", "as", "for", "from", "in", "is", "of", "on", "option", "or", "the", "to", "was", "with"})


class _Line:
    """A command line that is read word by word."""

    def __init__(self) -> None:
        self._command = ""
        self._expected = ""  # kind of the option whose value comes next
        self._is_token = False  # HTTPie was told so

    def end(self) -> None:
        """Another command begins."""
        self._command = self._expected = ""

    @property
    def expects(self) -> bool:
        """Whether the next word is the value of an option."""
        return self._expected != ""

    def feed(self, word: str) -> Span | None:
        """Return where a secret stands in the next word, None where none does."""
        if self._expected and not word.startswith("-"):
            kind, self._expected = self._expected, ""
            return self._judge(kind, word, 0)
        self._expected = ""
        name = (
            word.replace("\\", "/").rpartition("/")[2].rstrip(":,").removesuffix(".exe")
            if len(word) <= _LONGEST_NAME
            else ""
        )
        if name in _COMMANDS:
            self._command, self._is_token = name, False
        elif word.startswith("-"):
            return self._option(word)
        elif self._command == "sshpass":
            self._command = ""  # sshpass runs another
        elif self._command in _REGISTRIES and (word == "login" or word in _OF_CONTAINERS):
            self._command = word
        return None

    def _option(self, word: str) -> Span | None:
        pattern = _OPTIONS.get(self._command)
        found = pattern.match(word) if pattern is not None else None
        if found is None:
            return None
        kind = (found.lastgroup or "").removeprefix("flag_")
        if found.end() == len(word):
            self._expected = kind
            return None
        return self._judge(kind, word, found.end())

    def _judge(self, kind: str, word: str, begin: int) -> Span | None:
        if word[begin : begin + 1] in ("'", '"') and word[-1] == word[begin] and len(word) > begin + 1:
            span = begin + 1, len(word) - 1
        else:
            span = begin, len(word)
        value = word[slice(*span)]
        if kind == _OTHER:
            self._is_token |= value == "bearer"
            return None
        if kind == _PASSWORD or self._is_token:
            return None if is_unset(value) or value in _TALK else span
        colon = _COLON.search(value)
        if kind == _CERTIFICATE:
            # behind the last one, as a drive has one too
            at = value.rfind(":") + 1
            password = value[at:] if at > 1 else ""
            return None if is_unset(password) or password[0] in "/\\" else (span[0] + at, span[1])
        if colon is None:
            told = is_made_up(value) or (self._command in _HTTPIE and is_opaque(value))
        else:
            told = "://" not in value[: colon.start() + 3] and not is_unset(value[colon.end() :])
        return span if told else None


def find(text: str) -> Iterator[Span]:
    """Yield where secrets stand on command lines, also where one goes on in the next line."""
    at = 0
    while (found := _COMMAND.search(text, at)) is not None:
        line = _LINE.match(text, found.start())
        at = max(found.end(), line.end() if line is not None else 0)
        begin = found.start()
        if begin and text[begin - 1] in "\"'" and text.startswith(text[begin - 1], found.end()):
            begin -= 1  # the name has quotes of its own
        yield from _read(_Line(), text, begin, at, _DEEPEST)


def _read(line: _Line, text: str, begin: int, end: int, depth: int) -> Iterator[Span]:
    for found in _WORD.finditer(text, begin, end):
        first, last = _inside(found[0])
        word = found[0][first:last]
        if _DIVIDING.fullmatch(word):
            if word.endswith(_ENDING):
                line.end()
            continue
        span = line.feed(word)
        if span is not None:
            yield found.start() + first + span[0], found.start() + first + span[1]
        elif first and depth and _COMMAND.search(word):
            yield from _read(_Line(), text, found.start() + first, found.start() + last, depth - 1)
        if not first and word.endswith(_ENDING):
            line.end()


def _inside(word: str) -> Span:
    """Return where a word stands within its quotes."""
    bare = word.lstrip("\\")
    if bare[:1] in ("'", '"') and len(bare) > 1 and bare[-1] == bare[0]:
        return len(word) - len(bare) + 1, len(word[:-1].rstrip("\\"))
    unquoted = word.rstrip("\"'")
    return 0, len(unquoted.rstrip("\\") if unquoted.endswith("\\") else word)


def find_in_words(words: Iterable[object]) -> Iterator[Span | None]:
    """Yield for each word of a list where a secret stands in it; None where none does, or its own text tells it."""
    line = _Line()
    for word in words:
        if not isinstance(word, str):
            line.end()
            yield None
        elif not line.expects and " " in word and _COMMAND.search(word):
            line.end()
            for _ in _read(line, word, 0, len(word), 0):  # the last option in it may be that of the next word
                pass
            yield None
        else:
            yield line.feed(word)
