"""Rules for plain English, each with what to write in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_SENTENCE = 38  # words


@dataclass(frozen=True)
class Rule:
    """A pattern that plain text does not have.

    Attributes
    ----------
    name : str
        Name of the rule.

    pattern : str
        Regular expression, which is looked for in each sentence.

    instead : str
        What to write in its place.

    caught : str
        A sentence that the rule must find.

    accepted : str
        A sentence like it that the rule must leave alone.
    """

    name: str
    pattern: str
    instead: str
    caught: str
    accepted: str


_IS = r"(?:is|are|was|were)"

RULES = (
    Rule(
        "of-which",
        r"\bof (?:which|whom)\b",
        "two sentences, or 'whose'",
        "Find the largest clusters of which a given part is active.",
        "It depends on which of them you choose.",
    ),
    Rule(
        "that-of",
        r"\b(?:that|those) of\b",
        "the noun again",
        "Its bound is larger than that of Simes.",
        "The bounds of Simes are larger.",
    ),
    Rule(
        "at-the-most",
        r"\bat the (?:most|least|latest|earliest|worst|best)\b",
        "at most, at least, in the worst case",
        "It takes half as much again at the most.",
        "It takes at most half as much again.",
    ),
    Rule(
        "archaic",
        r"\b(?:besides|anew|thereof|therein|thereto|whereof|wherein|whence|hitherto|lest|albeit"
        r"|likewise|forthwith|beforehand|withal|hereafter|heretofore)\b",
        "also, again, other than, of it, in which, unless, before",
        "A table is written besides.",
        "A table is also written.",
    ),
    Rule(
        "starts-with-of",
        r"^Of (?!course\b)\w+",
        "subject first: 'One-sample designs use ...'",
        "Of one sample, signs are flipped.",
        "Of course, signs are flipped.",
    ),
    Rule(
        "inverted-verb",
        r"(?:^|[:;] )(?:[Nn]or|[Nn]either|[Nn]ever|[Oo]nly|[Nn]owhere|[Ss]o) (?:is|are|was|were"
        r"|does|do|did|can|may|has|have|must) ",
        "subject before verb: 'It does not ...'",
        "Nor does it read other files.",
        "It does not read other files either.",
    ),
    Rule(
        "inverted-participle",
        rf"(?:^|[:;] )(?:[A-Za-z]+ed|[Ff]ound|[Gg]iven|[Ss]hown|[Ss]aid|[Tt]old|[Kk]ept|[Mm]ade"
        rf"|[Mm]eant|[Ll]eft out) {_IS} (?:the|an?|all|what|those|only|that)\b",
        "subject before verb: 'The command finds ...'",
        "Found are the largest clusters.",
        "The command finds the largest clusters.",
    ),
    Rule(
        "what-is-is",
        rf"\b[Ww]hat {_IS}(?: \w+){{1,4}},? {_IS}\b",
        "a noun as the subject",
        "What is tested is the mean.",
        "See what is tested.",
    ),
    Rule(
        "not-but",
        r"\bnot (?:the|an?|of|by|in|for|from|what|on|at|with) (?:\w+ ){1,4}but\b",
        "say what it is: two sentences, or 'instead of'",
        "Give not the map but the mask.",
        "Give the mask instead of the map.",
    ),
    Rule(
        "is-to-be",
        r"\b(?:is|are|was|were|has|have) to be "
        r"(?:had|found|seen|said|made|given|chosen|taken|told)\b",
        "must, can, or an imperative",
        "The template is to be chosen before.",
        "Choose the template before.",
    ),
    Rule(
        "is-no",
        rf"(?<!there )(?<!There )\b{_IS} no (?!longer\b|more\b|less\b|fewer\b|larger\b|smaller\b"
        r"|better\b|worse\b|\w+er\b)\w+",
        "'is not a'",
        "A map of labels is no mask.",
        "A map of labels is not a mask.",
    ),
    Rule(
        "known-of",
        r"\b(?:known|says?|said|tells?|told|asked) (?:(?:nothing|more|less|much|little|all) )?of ",
        "about",
        "All that is known of a map.",
        "All that is known about a map.",
    ),
    Rule(
        "there-already",
        r"\bthere already\b|\b(?:is|are) (?:at hand|there),? (?:is|are)\b",
        "existing, or 'you have'",
        "A map that is there already.",
        "A map that you have.",
    ),
    Rule(
        "impersonal-one",
        r"(?:^|, |\b(?:as|if|that|what|when|where|how|long|and|so|because|[Tt]hen|which) )"
        r"[Oo]ne (?:may|can|wants?|likes?|looks?|needs?|should|must|asks|knows)\b|\bone's own\b",
        "you",
        "Then one may raise the threshold.",
        "Then you may raise the threshold.",
    ),
    Rule(
        "such-a",
        r"\b[Ss]uch an?\b(?! (?:\w+ ){1,2}(?:as|that)\b)",
        "this, these, or 'a ... like this'",
        "Such a map is refused.",
        "This map is refused.",
    ),
    Rule(
        "as-it-may",
        r"\b(?:however|whatever) (?:many|much|long|large|it|often) (?:there|one|it)? ?"
        r"(?:are|is|looks|may|was)\b",
        "'for any number of', 'no matter how'",
        "It takes the same time however many there are.",
        "It takes the same time for any number of clusters.",
    ),
    Rule(
        "goes-without",
        r"\bwithout a word\b|\bit is that\b|\bas it were\b|\bso to speak\b|\bfor want of\b",
        "plain words",
        "It corrects nothing without a word.",
        "It corrects nothing silently.",
    ),
    Rule(
        "doubled-word",
        r"\b(?!X\b|\d|that\b|had\b)(\w+) \1\b(?!['-])",
        "the word once",
        "The bound is is valid.",
        "The bound is valid.",
    ),
)


@dataclass(frozen=True)
class Finding:
    """A sentence that a rule finds.

    Attributes
    ----------
    rule : str
        Name of the rule.

    text : str
        What was found.

    instead : str
        What to write in its place.
    """

    rule: str
    text: str
    instead: str


def find_in_sentence(sentence: str) -> Iterator[Finding]:
    """Yield what the rules find in a sentence."""
    for rule in RULES:
        match = re.search(rule.pattern, sentence)
        if match:
            yield Finding(rule.name, _around(sentence, match.start()), rule.instead)
    n_words = len(re.findall(r"\w[\w'.,/-]*", sentence))
    if n_words > LONGEST_SENTENCE:
        yield Finding("long-sentence", f"{n_words} words: {sentence[:70]}...", "two sentences")


def _around(sentence: str, start: int) -> str:
    first = max(0, start - 40)
    return ("..." if first else "") + sentence[first : start + 60]
