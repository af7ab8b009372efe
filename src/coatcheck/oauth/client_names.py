"""What clients and APIs may call themselves: people decide by these names whom they let in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from .metadata_rules.refusal import refused

__all__ = ["check_name"]

_LONGEST: Final = 100
# Nothing that is not seen, nothing that turns the line around, no private or unassigned letters, no line breaks.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters that are drawn as nothing, though they count as letters: Hangul fillers, Braille blank, and the like.
_BLANK: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_MOST_MARKS: Final = 2  # on one letter; more pile up over other lines
# The scripts that one name may mix (Unicode Technical Standard 39, section 5.2, "highly restrictive").
_ALLOWED: Final = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
_SCRIPTS: Final = {
    "CJK": "HAN",
    "IDEOGRAPHIC": "HAN",
    "HALFWIDTH": "KATAKANA",
    "KATAKANA-HIRAGANA": "KATAKANA",
}
# Of these scripts, whole names can be written that look Latin ("\u0440\u0430\u0443\u0440\u0430\u04cf"): a name needs
# one letter that does not (Unicode Technical Standard 39, section 4, "whole-script confusables").
_LIKE_LATIN: Final = frozenset(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0455\u0456\u0458\u04bb\u0501\u051b\u051d\u04cf\u04af"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423\u04ae\u04c0\u051a\u051c"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b9\u03bd\u03bf\u03c1\u03c5\u03c7\u03f2\u03f3\u037f\u03f9"
    "\u0561\u0563\u0570\u0578\u057d\u0581\u0585\u0555\u054d"
)


def check_name(name: str, *, field: str = "client_name") -> str:
    """Return a name, composed (NFC) and without spaces around it.

    A stranger who registers a client may give it any name that is free of tricks, somebody else's too: that is why the
    consent page shows the host beside it. What a reader could not see, is refused.

    Args:
        name: The name.
        field: What an error calls it.

    Raises:
        InvalidClientMetadataError: If it is empty or longer than 100 letters, has letters that are not seen or that
            change the direction of writing, mixes scripts that look alike, or is all of another script's letters that
            look Latin.
    """
    composed = unicodedata.normalize("NFC", name).strip(" ")
    if not composed or len(composed) > _LONGEST:
        raise refused(field, f"it has 1 to {_LONGEST} letters.")
    if any(map(_is_hidden, composed)) or _piles_up(composed):
        raise refused(field, "it has letters that cannot be seen, or that change how others are seen.")
    # Letters that stand for others (full width, mathematical) are judged as those.
    scripts = frozenset(_scripts(unicodedata.normalize("NFKC", composed)))
    if len(scripts) > 1 and not any(scripts <= allowed for allowed in _ALLOWED):
        raise refused(field, "it mixes letters of different scripts, some of which look alike.")
    if _looks_latin(composed):
        raise refused(field, "its letters look like those of another script.")
    return composed


def _is_hidden(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category in _HIDDEN or letter in _BLANK or (category == "Zs" and letter != " ")


def _piles_up(text: str) -> bool:
    marks = _MOST_MARKS  # a mark at the beginning is on no letter
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter) in {"Mn", "Me"} else 0
        if marks > _MOST_MARKS:
            return True
    return False


def _scripts(text: str) -> Iterator[str]:
    """Yield the scripts of a text's letters, by the first word of their names in the Unicode Character Database."""
    for letter in text:
        if unicodedata.category(letter).startswith("L"):
            word = unicodedata.name(letter, "UNKNOWN").partition(" ")[0].partition("-")[0]
            if word not in {"MODIFIER", "FEMININE", "MASCULINE", "MICRO"}:
                yield _SCRIPTS.get(word, word)


def _looks_latin(text: str) -> bool:
    letters = [each for each in text if unicodedata.category(each).startswith("L")]
    return bool(letters) and all(each in _LIKE_LATIN for each in letters)
