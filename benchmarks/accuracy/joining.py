"""What applications do to text: does `joining` name it? And does it accuse an application that shows the text well?

`python benchmarks/accuracy/joining.py [--each 50] [--healthy 1000] [--pairs 200]` makes sessions with turns by chance,
joins their texts in each of the ways below, runs the check on all and prints a line a way. Right is a finding of the
cause first; a harmless way must besides never `fail`. With pairs, two ways are applied one after the other, and right
is that both are named. Where the ways come from stands in `docs/methods/joining.md`.
"""

import argparse
import collections
import html
import json
import random
import re
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

sys.path.insert(0, str(Path(__file__).parents[2]))

import sttdoctor

Rng = random.Random
Pieces = list[tuple[str, str]]
"""Kind (`update`, `eager_end`, `resume`, `end`) and text of the events of one turn."""

SENTENCES = (
    "Could you move my appointment to Thursday afternoon, please?",
    "I would like to check the balance of my savings account.",
    "The package was supposed to arrive last week, but nothing came.",
    "Yes, that is right.",
    "No, no, I never received the second letter from your office.",
    "My order number is four seven one, nine two six.",
    "It costs twenty five dollars and the café is on the third floor.",
    "Um, let me think about it for a moment.",
    "I don\u2019t know where it went, uh, maybe to the old address.",
    "It was very very late, and the résumé was damn long.",
    "My name is Zoë Müller and I live in São Paulo.",
    "She said \u201cnever again\u201d and hung up; R&D was not amused.",
    "Can you repeat the last part a little more slowly?",
    "It started yesterday evening, right after the update.",
    "Thank you, that was all I wanted to know.",
    "Is 1 < 2, or does it cost 100% more?",
    "There is water coming through the ceiling of the kitchen",
    "We have been waiting here for almost an hour now!",
)
URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"


@dataclass(frozen=True)
class Said:
    """What the events of one session say."""

    turns: list[Pieces]

    @property
    def ends(self) -> list[str]:
        """The final texts."""
        return self.of("end")

    @property
    def text(self) -> str:
        """The right text."""
        return "".join(self.ends)

    def of(self, *kinds: str) -> list[str]:
        """Texts of some kinds of events, in order."""
        return [text for turn in self.turns for kind, text in turn if kind in kinds]


Join = Callable[[Said, Rng], str | None]


@dataclass(frozen=True)
class Way:
    """One way to join, and the causes that name it; None from `join` where the turns give it nothing to do."""

    name: str
    causes: tuple[str, ...]
    join: Join
    harmless: bool = False
    after: Callable[[str], str] | None = None


WAYS: list[Way] = []
GOOD: list[tuple[str, Join]] = []


def said(rng: Rng, spaced: bool = True) -> Said:
    """Two to five turns; most bring a space at their beginning, some sessions at their end."""
    turns: list[Pieces] = []
    at_end = rng.random() < 0.2
    for number in range(rng.randint(2, 5)):
        text = " ".join(rng.choice(SENTENCES) for _ in range(rng.choice((1, 1, 2))))
        if number and rng.random() < 0.08:
            text = turns[rng.randrange(number)][-1][1].strip()
        space = " " if spaced else ""
        text = text + space if at_end else (space if number else "") + text
        words = re.findall(r"\s*\S+\s*$|\s*\S+", text)
        shown = sorted(rng.sample(range(1, len(words) + 1), min(len(words), rng.randint(1, 4))))
        pieces: Pieces = [("update", "".join(words[:count])) for count in shown]
        if rng.random() < 0.3 and len(words) > 3:
            early = "".join(words[: rng.randint(2, len(words) - 1)])
            pieces += [("eager_end", early), ("resume", "")]
        if rng.random() < 0.7:
            pieces.append(("eager_end", text))
        turns.append([*pieces, ("end", text)])
    return Said(turns)


def rows(spoken: Said, text: str) -> bytes:
    """A session file."""
    made = [{"type": "session", "url": URL}, {"type": "open", "t": 0.0, "status": 101}]
    for number, turn in enumerate(spoken.turns):
        for at, (kind, words) in enumerate([("start", ""), *turn]):
            message = {"type": f"turn.{kind}"} | ({} if kind in ("start", "resume") else {"transcript": words})
            made.append({"type": "receive", "t": 5 * number + at / 2, "json": message})  # type: ignore[dict-item]
    end = 5 * len(spoken.turns)
    made.append({"type": "close", "t": end, "by": "server", "code": 1000})  # type: ignore[dict-item]
    made.append({"type": "transcript", "text": text})
    return "".join(json.dumps(row) + "\n" for row in made).encode()


def way(*causes: str, harmless: bool = False) -> Callable[[Join], Join]:
    """Register a way to join."""

    def keep(join: Join) -> Join:
        WAYS.append(Way(join.__name__, causes, join, harmless))
        return join

    return keep


def over(name: str, *causes: str, harmless: bool = False) -> Callable[[Callable[[str], str]], Callable[[str], str]]:
    """Register a change of the whole text, which can also follow another way."""

    def keep(change: Callable[[str], str]) -> Callable[[str], str]:
        def join(spoken: Said, _rng: Rng) -> str | None:
            text = change(spoken.text)
            return text if text != spoken.text else None

        WAYS.append(Way(name, causes, join, harmless, change))
        return change

    return keep


def good(join: Join) -> Join:
    """Register a way that shows the text well."""
    GOOD.append((join.__name__, join))
    return join


# Which events are used


@way("updates-joined")
def updates_and_ends(spoken: Said, _rng: Rng) -> str | None:
    return "".join(spoken.of("update", "end"))


@way("updates-joined")
def every_event(spoken: Said, _rng: Rng) -> str | None:
    return "".join(spoken.of("update", "eager_end", "end"))


@way("updates-joined", "partial-kept")
def updates_alone(spoken: Said, _rng: Rng) -> str | None:
    return "".join(spoken.of("update"))


@way("updates-joined")
def display_appended_to_itself(spoken: Said, _rng: Rng) -> str | None:
    if len(spoken.ends) < 3:
        return None
    return "".join("".join(spoken.ends[: n + 1]) for n in range(len(spoken.ends)))


@way("eager-ends-joined", "turns-repeated")
def eager_ends_and_ends(spoken: Said, _rng: Rng) -> str | None:
    return "".join(spoken.of("eager_end", "end")) if spoken.of("eager_end") else None


@way("eager-ends-joined")
def eager_ends_kept_after_resume(spoken: Said, _rng: Rng) -> str | None:
    if not spoken.of("resume"):
        return None
    kept = (dict.fromkeys(text for kind, text in turn if kind in ("eager_end", "end")) for turn in spoken.turns)
    return "".join("".join(texts) for texts in kept)


@way("turns-missing", "words-merged")
def last_turn_alone(spoken: Said, _rng: Rng) -> str | None:
    return spoken.ends[-1]


@way("turns-missing", "words-merged")
def last_turn_lost(spoken: Said, _rng: Rng) -> str | None:
    return "".join(spoken.ends[:-1])


@way("turns-missing", "words-merged")
def first_turn_lost(spoken: Said, _rng: Rng) -> str | None:
    return "".join(spoken.ends[1:])


@way("turns-missing", "words-merged")
def one_turn_lost(spoken: Said, rng: Rng) -> str | None:
    lost = rng.randrange(len(spoken.ends))
    return "".join(end for n, end in enumerate(spoken.ends) if n != lost)


@way("turns-repeated", "updates-joined", "eager-ends-joined")
def one_turn_twice(spoken: Said, rng: Rng) -> str | None:
    twice = rng.randrange(len(spoken.ends))
    return "".join(end * 2 if n == twice else end for n, end in enumerate(spoken.ends))


@way("turns-repeated", "eager-ends-joined")
def handler_registered_twice(spoken: Said, _rng: Rng) -> str | None:
    return "".join(end * 2 for end in spoken.ends)


@way("partial-kept", "truncated")
def last_update_for_the_last_end(spoken: Said, _rng: Rng) -> str | None:
    last = next(text for kind, text in spoken.turns[-1] if kind == "update")
    return "".join(spoken.ends[:-1]) + last if last != spoken.ends[-1] else None


@way("partial-kept", "truncated", "updates-joined")
def first_updates_for_ends(spoken: Said, _rng: Rng) -> str | None:
    texts = [next(text for kind, text in turn if kind == "update") for turn in spoken.turns]
    return "".join(texts) if texts != spoken.ends else None


@way("order")
def two_turns_swapped(spoken: Said, rng: Rng) -> str | None:
    at = rng.randrange(len(spoken.ends) - 1)
    ends = list(spoken.ends)
    ends[at], ends[at + 1] = ends[at + 1], ends[at]
    return "".join(ends) if len({end.strip() for end in ends}) == len(ends) else None


@way("order")
def newest_turn_first(spoken: Said, _rng: Rng) -> str | None:
    return "".join(reversed(spoken.ends)) if len({end.strip() for end in spoken.ends}) == len(spoken.ends) else None


# White space and separators


@way("separator-added")
def joined_with_a_space(spoken: Said, _rng: Rng) -> str | None:
    return " ".join(spoken.ends)


@way("separator-added")
def joined_with_line_breaks(spoken: Said, rng: Rng) -> str | None:
    return rng.choice(("\n", "\n\n")).join(spoken.ends)


@way("separator-added")
def joined_with_a_comma(spoken: Said, _rng: Rng) -> str | None:
    return ", ".join(end.strip() for end in spoken.ends)


@way("separator-added")
def joined_with_a_stop(spoken: Said, _rng: Rng) -> str | None:
    return ". ".join(end.strip() for end in spoken.ends)


@way("whitespace-stripped")
def turns_stripped(spoken: Said, _rng: Rng) -> str | None:
    return "".join(end.strip() for end in spoken.ends)


# Case, punctuation, words


@over("lower case", "normalized", harmless=True)
def lower(text: str) -> str:
    return text.lower()


@over("upper case", "normalized", harmless=True)
def upper(text: str) -> str:
    return text.upper()


@over("punctuation removed", "normalized")
def without_punctuation(text: str) -> str:
    return re.sub(r"[^\w\s]", "", text)


@over("lower case without punctuation", "normalized")
def plain(text: str) -> str:
    return re.sub(r"[^\w\s]", "", text).lower()


@over("a stop at the end", "normalized", harmless=True)
def with_a_stop(text: str) -> str:
    return text if text.rstrip()[-1] in ".?!" else text.rstrip() + "."


@over("numbers in digits", "normalized", harmless=True)
def digits(text: str) -> str:
    for words, number in (("twenty five dollars", "$25"), ("four seven one, nine two six", "471926"), ("third", "3rd")):
        text = text.replace(words, number)
    return text.replace("second", "2nd")


@over("accents removed", "normalized", harmless=True)
def without_accents(text: str) -> str:
    text = text.translate({0x2019: "'", 0x201C: '"', 0x201D: '"'})
    folded = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return folded if folded != text else ""


@over("fillers removed", "normalized", harmless=True)
def without_fillers(text: str) -> str:
    return re.sub(r"\bUm, l", "L", re.sub(r" uh,", "", text))


@over("profanity masked", "normalized", harmless=True)
def masked(text: str) -> str:
    return text.replace("damn", "d***")


@over("words said twice in a row once", "words-merged")
def words_once(text: str) -> str:
    return re.sub(r"\b(\w+)([\s,]+\1\b)+", r"\1", text, flags=re.IGNORECASE)


@way("words-merged", "turns-missing")
def turns_said_twice_once(spoken: Said, _rng: Rng) -> str | None:
    once = dict.fromkeys(end.strip() for end in spoken.ends)
    return " ".join(once) if len(once) < len(spoken.ends) else None


@way("words-merged", "turns-missing")
def overlaps_merged(spoken: Said, _rng: Rng) -> str | None:
    text = spoken.ends[0].split()
    before = sum(len(end.split()) for end in spoken.ends)
    for end in spoken.ends[1:]:
        words = end.split()
        same = next(
            n
            for n in range(min(len(words), len(text)), -1, -1)
            if [w.casefold().strip(".,?!") for w in text[len(text) - n :]]
            == [w.casefold().strip(".,?!") for w in words[:n]]
        )
        text += words[same:]
    return " ".join(text) if len(text) < before else None


# A part


@way("truncated", "turns-missing", "partial-kept", "words-merged")
def cut_at_so_many_characters(spoken: Said, rng: Rng) -> str | None:
    limit = rng.choice((50, 64, 100, 128, 140, 160, 200, 255))
    return spoken.text[:limit] if len(spoken.text) > limit else None


@way("truncated", "turns-missing", "partial-kept", "words-merged")
def cut_with_an_ellipsis(spoken: Said, rng: Rng) -> str | None:
    limit = rng.choice((50, 64, 100, 128))
    return spoken.text[:limit].rstrip() + rng.choice(("...", "\u2026")) if len(spoken.text) > limit else None


@way("truncated", "turns-missing", "partial-kept", "words-merged")
def cut_at_so_many_bytes(spoken: Said, rng: Rng) -> str | None:
    data, limit = spoken.text.encode(), rng.randint(40, 255)
    return data[:limit].decode("utf-8", "replace") if len(data) > limit else None


@way("truncated", "turns-missing", "words-merged")
def last_characters_kept(spoken: Said, rng: Rng) -> str | None:
    limit = rng.choice((50, 100, 128, 200))
    return spoken.text[-limit:] if len(spoken.text) > limit else None


@way("truncated")
def first_word_of_each_turn_lost(spoken: Said, _rng: Rng) -> str | None:
    return "".join(re.sub(r"^\s*\S+", "", end) for end in spoken.ends)


@way("truncated", "normalized")  # where these are fillers
def first_words_lost(spoken: Said, rng: Rng) -> str | None:
    return " ".join(spoken.text.split(" ")[rng.randint(1, 3) :])


@way("truncated", "partial-kept")
def last_words_lost(spoken: Said, rng: Rng) -> str | None:
    return " ".join(spoken.text.rstrip().split(" ")[: -rng.randint(1, 3)])


@way("truncated", "partial-kept")
def last_word_of_each_turn_lost(spoken: Said, _rng: Rng) -> str | None:
    return "".join(re.sub(r"\s*\S+\s*$", "", end) for end in spoken.ends)


# Escapes and encodings


@over("escaped for HTML", "escaped", harmless=True)
def for_html(text: str) -> str:
    return html.escape(text).replace("\u2019", "&#8217;")


@over("escaped for HTML twice", "escaped")
def for_html_twice(text: str) -> str:
    escaped = for_html(text)
    return html.escape(escaped) if escaped != text else text


@over("escaped for a URL", "escaped", harmless=True)
def for_a_url(text: str) -> str:
    return quote(text)


@over("escaped for a form", "escaped", harmless=True)
def for_a_form(text: str) -> str:
    return quote_plus(text)


@over("as a JSON string", "escaped", harmless=True)
def as_json(text: str) -> str:
    return json.dumps(text)


@over("escaped for JSON", "escaped", harmless=True)
def for_json(text: str) -> str:
    return json.dumps(text)[1:-1]


@way("escaped", harmless=True)
def as_a_list_of_objects(spoken: Said, _rng: Rng) -> str | None:
    return json.dumps([{"speaker": "A", "text": end, "final": True} for end in spoken.ends])


@way("escaped", harmless=True)
def as_python_prints_a_list(spoken: Said, _rng: Rng) -> str | None:
    return str(spoken.ends)


@way("labels-added")
def nothing_appended(spoken: Said, rng: Rng) -> str | None:
    return rng.choice(("undefined", "null", "None", "[object Object]")) + spoken.text


@way("escaped", harmless=True)
def as_a_json_list(spoken: Said, _rng: Rng) -> str | None:
    return json.dumps(spoken.ends)


@over("UTF-8 read as Windows-1252", "wrong-charset")
def mojibake(text: str) -> str:
    return "".join(_as_1252(text))


@over("UTF-8 read as Windows-1252 twice", "wrong-charset")
def mojibake_twice(text: str) -> str:
    return mojibake(mojibake(text))


@over("UTF-8 read as code page 850", "wrong-charset")
def console(text: str) -> str:
    return text.encode().decode("cp850")


@over("Windows-1252 read as UTF-8", "wrong-charset")
def holes(text: str) -> str:
    return text.encode("cp1252", "ignore").decode("utf-8", "replace")


@over("question marks for what is not ASCII", "wrong-charset")
def question_marks(text: str) -> str:
    return text.encode("ascii", "replace").decode()


@over("what is not ASCII dropped", "wrong-charset")
def ascii_alone(text: str) -> str:
    return text.encode("ascii", "ignore").decode() if re.search(r"[^\W\x00-\x7f]", text) else text


def _as_1252(text: str) -> Iterator[str]:
    for byte in text.encode():
        try:
            yield bytes([byte]).decode("cp1252")
        except UnicodeDecodeError:
            yield chr(byte)


# Labels


@way("labels-added", harmless=True)
def speakers(spoken: Said, rng: Rng) -> str | None:
    name = rng.choice(("Speaker {}", "User", "**Caller**", "S{}", "You"))
    return "\n".join(f"{name.format(n % 2)}: {end.strip()}" for n, end in enumerate(spoken.ends))


@way("labels-added", harmless=True)
def times(spoken: Said, rng: Rng) -> str | None:
    shown = rng.choice(("[00:00:{:02}]", "0:{:02}", "(00:{:02})", "[2026-11-30 10:00:{:02}]"))
    return "\n".join(f"{shown.format(5 * n)} {end.strip()}" for n, end in enumerate(spoken.ends))


@way("labels-added", harmless=True)
def subtitles(spoken: Said, _rng: Rng) -> str | None:
    cue = "{0}\n00:00:{1:02},000 --> 00:00:{2:02},500\n{3}\n\n"
    return "".join(cue.format(n + 1, 5 * n, 5 * n + 4, end.strip()) for n, end in enumerate(spoken.ends))


@way("labels-added", harmless=True)
def markup(spoken: Said, rng: Rng) -> str | None:
    before, after = rng.choice(
        (("", "<br>"), ("<p>", "</p>"), ("<v Caller>", "\n"), ('<span class="final">', "</span>"))
    )
    return "".join(before + end.strip() + after for end in spoken.ends)


@way("labels-added", harmless=True)
def bullets(spoken: Said, rng: Rng) -> str | None:
    sign = rng.choice(("- ", "* ", "> ", "\u2022 "))
    return "\n".join(sign + end.strip() for end in spoken.ends)


@way("labels-added", harmless=True)
def tags(spoken: Said, rng: Rng) -> str | None:
    return rng.choice((" [inaudible]", " (laughter)", " [BLANK_AUDIO]", " \U0001f399\ufe0f")).join(spoken.ends)


# Something else


@way("unrelated", harmless=True)
def translated(_spoken: Said, _rng: Rng) -> str | None:
    return "Guten Tag, ich möchte bitte meinen Termin verschieben und habe eine Frage zu meiner Rechnung."


@way("unrelated", harmless=True)
def an_object(_spoken: Said, _rng: Rng) -> str | None:
    return "[object Object]"


# What shows the text well


@good
def as_it_is(spoken: Said, _rng: Rng) -> str | None:
    return spoken.text


@good
def with_a_line_end(spoken: Said, rng: Rng) -> str | None:
    return spoken.text + rng.choice(("\n", "\r\n", "\n\n"))


@good
def in_another_unicode_form(spoken: Said, rng: Rng) -> str | None:
    return unicodedata.normalize(rng.choice(("NFC", "NFD")), spoken.text)


@good
def with_straight_quotes(spoken: Said, _rng: Rng) -> str | None:
    return spoken.text.translate({0x2019: "'", 0x201C: '"', 0x201D: '"'})


@good
def with_round_quotes(spoken: Said, _rng: Rng) -> str | None:
    return spoken.text.replace("'", "\u2019")


@good
def with_hard_spaces(spoken: Said, _rng: Rng) -> str | None:
    return re.sub(r" (?=[?!])| (?=\d)", "\u00a0", spoken.text)


@good
def one_line_a_turn(spoken: Said, _rng: Rng) -> str | None:
    return "\n".join(end.strip() for end in spoken.ends)


@good
def one_paragraph_a_turn(spoken: Said, _rng: Rng) -> str | None:
    return "\n\n".join(end.strip() for end in spoken.ends)


@good
def wrapped(spoken: Said, rng: Rng) -> str | None:
    return textwrap.fill(spoken.text, rng.randint(30, 80), break_long_words=False, break_on_hyphens=False)


@good
def trimmed_for_display(spoken: Said, _rng: Rng) -> str | None:
    return spoken.text.strip() if len(spoken.turns) > 1 else None  # of one turn it may be each turn


@good
def with_a_space_behind(spoken: Said, _rng: Rng) -> str | None:
    return spoken.text + " " if len(spoken.turns) > 1 else None


def judge(spoken: Said, text: str) -> list[tuple[str, str]]:
    """Cause and status of each finding of `joining`."""
    found = json.loads(sttdoctor.replay(rows(spoken, text), select=["joining"]).to_json())["checks"][0]["findings"]
    return [(finding["cause"].removeprefix("joining."), finding["status"]) for finding in found]


def cases(one: Way, seed: int, count: int) -> Iterator[tuple[Said, str]]:
    """Sessions in which a way has something to do."""
    rng = Rng(f"{seed} {one.name}")
    for _ in range(60 * count):
        spoken = said(rng)
        text = one.join(spoken, rng)
        if text and text != spoken.text:
            yield spoken, text
            count -= 1
        if not count:
            return


def healthy(seed: int, count: int) -> Iterator[tuple[str, Said, str]]:
    """Texts that are shown well, in turn; now and then of turns that bring no white space."""
    rng = Rng(seed)
    for number in range(count):
        name, join = GOOD[number % len(GOOD)]
        spoken = said(rng)
        if number % 10 == 9:
            spoken, name, join = said(rng, spaced=False), "space where there is none", lambda one, _: " ".join(one.ends)
        yield name, spoken, join(spoken, rng) or spoken.text


def pairs(seed: int, count: int) -> Iterator[tuple[Way, Way, Said, str]]:
    """A way to join and a change of what comes out, of other causes."""
    rng = Rng(f"{seed} pairs")
    first = [
        one for one in WAYS if one.after is None and not set(one.causes) & {"unrelated", "labels-added", "escaped"}
    ]
    second = [one for one in WAYS if one.after is not None and one.causes[0] in ("escaped", "wrong-charset")]
    while count:
        one, other, spoken = rng.choice(first), rng.choice(second), said(rng)
        text = one.join(spoken, rng)
        if text and text != spoken.text and other.after is not None and (after := other.after(text)) != text:
            count -= 1
            yield one, other, spoken, after


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=50)
    parser.add_argument("--healthy", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-v", action="store_true", help="print what was missed")
    chosen = parser.parse_args()
    right = made = 0
    for one in WAYS:
        said_instead: collections.Counter[str] = collections.Counter()
        good_ones = count = 0
        for spoken, text in cases(one, chosen.seed, chosen.each):
            found = judge(spoken, text)
            first = found[0][0] if found else "pass"
            fits = first in one.causes and not (one.harmless and any(status == "fail" for _, status in found))
            said_instead[first if fits else f"{first}!"] += 1
            good_ones, count = good_ones + fits, count + 1
            if chosen.v and not fits:
                print(f"  {one.name}: {found}\n    {spoken.turns}\n    {text!r}")
        right, made = right + good_ones, made + count
        print(f"{one.name:38} {good_ones:3}/{count:3}  {dict(said_instead)}")
    print(f"ways {len(WAYS)}, named first {right}/{made} = {right / made:.3f}")
    both = 0
    for one, other, spoken, text in pairs(chosen.seed, chosen.pairs):
        named = {cause for cause, _ in judge(spoken, text)}
        fits = bool(named & set(one.causes)) and other.causes[0] in named
        both += fits
        if chosen.v and not fits:
            print(f"  {one.name} + {other.name}: {named}\n    {spoken.turns}\n    {text!r}")
    print(f"pairs, both named: {both}/{chosen.pairs}")
    accused = [(name, found) for name, s, text in healthy(chosen.seed, chosen.healthy) if (found := judge(s, text))]
    print(f"healthy, accused: {len(accused)}/{chosen.healthy} {collections.Counter(map(str, accused))}")


if __name__ == "__main__":
    main()
