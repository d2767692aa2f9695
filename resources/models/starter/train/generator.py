"""Makes the training corpus of the starter model from the phrase templates, always the same for one seed.

Every line is a small-talk message and its kind; `replies.py` says what is answered. Messages are varied the way people
vary them: typing errors, no capitals, missing or surplus punctuation, a greeting or the app's name in front.

    python generator.py --hash          the SHA-256 of the corpus
    python generator.py --phrases       every message and every undecorated phrase, one a line (for the overlap test)
"""

import argparse
import hashlib
import itertools
import json
import math
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence, TypeVar

import phrases_en
import phrases_ru
from replies import KINDS, LANGUAGES

SEED = 20
CORPUS_SIZE = 36_720

PHRASES = {"en": phrases_en.PHRASES, "ru": phrases_ru.PHRASES}
HELD_OUT_FILE = Path(__file__).parent / "held_out.json"

ALPHABET = {"en": "abcdefghijklmnopqrstuvwxyz", "ru": "абвгдежзийклмнопрстуфхцчшщъыьэюя"}
OPENERS = {
    "en": ["hi, ", "hello! ", "hey, ", "good morning, ", "hello, ", "hi tandem, ", "hi! "],
    "ru": ["привет, ", "привет! ", "здравствуйте, ", "добрый день, ", "здравствуй, ", "добрый день! ", "привет тандем, "],
}
FILLERS = {
    "en": ["so ", "well, ", "and ", "ok, ", "hm, ", "tandem, ", "oh, ", "please, ", "sorry, ", "by the way, ", "tell me, "],
    "ru": ["ну ", "а ", "и ", "так ", "хм, ", "тандем, ", "слушай, ", "скажи, ", "простите, ", "кстати, ", "скажите, "],
}
TAILS = {
    "en": [" please", ", tandem", ", please", " then", " now", " my friend", " by the way", ", you know"],
    "ru": [" пожалуйста", ", тандем", ", пожалуйста", " вообще", " сейчас", " дружище", " кстати", ", скажи"],
}
# Kinds that a greeting in front would turn into something else, or that never come with one.
NO_OPENER = {"greet", "how", "thanks", "bye", "ack", "praise", "complaint"}
QUESTION_KINDS = {"who", "about", "can", "works", "bigger", "privacy", "how", "human", "languages"}
QUESTION_ENDS = ["", "", "", "?", "?", "?", "?", "??", "...", ".", "?!", " ?"]
STATEMENT_ENDS = ["", "", "", "", ".", ".", "!", "!", "!!", "...", " :)", ")", "?", " 🙂"]

T = TypeVar("T")


@dataclass(frozen=True)
class Message:
    lang: str
    kind: str
    text: str


class Picker:
    """Random choices that use only `Random.random()`, the one method Python keeps the same over its versions."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def below(self, limit: int) -> int:
        return int(self._random.random() * limit)

    def one(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[T], cumulative: Sequence[float]) -> T:
        point = self._random.random() * cumulative[-1]
        return next(item for item, edge in zip(items, cumulative) if point < edge)

    def shuffle(self, items: list) -> None:
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


def normalise(text: str) -> str:
    """Lower case, ё as е, every run of other than letters and digits as one space. The test uses the same rule."""
    return re.sub(r"[\W_]+", " ", text.lower().replace("ё", "е")).strip()


def parse_template(template: str) -> list[list[str]]:
    """`"[a|b] c"` becomes `[["a", "b"], [" c"]]`."""
    return [part[1:-1].split("|") if part.startswith("[") else [part] for part in re.findall(r"\[[^\]]*\]|[^\[]+", template)]


def expansions(template: str) -> Iterator[str]:
    """Every phrase that a template stands for."""
    return (tidy("".join(choice)) for choice in itertools.product(*parse_template(template)))


def tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def held_out_texts() -> set[str]:
    """Normalised messages that are kept for measuring and never trained on."""
    rows = json.loads(HELD_OUT_FILE.read_text(encoding="utf-8"))
    return {normalise(text) for lang in LANGUAGES for _, text in rows[lang]}


def check_unambiguous() -> None:
    """A phrase listed under two kinds would teach the model to hesitate. Raises ValueError and names it."""
    for lang in LANGUAGES:
        seen: dict[str, str] = {}
        for kind, templates in PHRASES[lang].items():
            for phrase in itertools.chain.from_iterable(map(expansions, templates)):
                other = seen.setdefault(normalise(phrase), kind)
                if other != kind:
                    raise ValueError(f"{lang}: {phrase!r} is listed under both {other} and {kind}")


class Generator:
    """Draws messages of a kind and a language until the corpus is full."""

    def __init__(self, seed: int) -> None:
        self._pick = Picker(seed)
        self._held_out = held_out_texts()
        self._parsed = {
            lang: {kind: [parse_template(t) for t in PHRASES[lang][kind]] for kind in KINDS} for lang in LANGUAGES
        }
        self._edges = {
            lang: {kind: list(itertools.accumulate(map(template_weight, self._parsed[lang][kind]))) for kind in KINDS}
            for lang in LANGUAGES
        }

    def corpus(self, size: int) -> list[Message]:
        """`size` messages, the kinds and languages in equal numbers, in random order."""
        cells = list(itertools.product(LANGUAGES, KINDS))
        messages = [self._message(*cells[i % len(cells)]) for i in range(size)]
        self._pick.shuffle(messages)
        return messages

    def _message(self, lang: str, kind: str) -> Message:
        while True:
            text = self._decorate(lang, kind, self._phrase(lang, kind))
            if normalise(text) not in self._held_out:
                return Message(lang, kind, text)

    def _phrase(self, lang: str, kind: str) -> str:
        template = self._pick.weighted(self._parsed[lang][kind], self._edges[lang][kind])
        return tidy("".join(self._pick.one(group) for group in template))

    def _decorate(self, lang: str, kind: str, text: str) -> str:
        pick = self._pick
        text = self._surround(lang, kind, text)
        if pick.chance(0.08):
            text = drop_word(text, pick)
        if pick.chance(0.18):
            text = misspell(text, ALPHABET[lang], pick)
        if pick.chance(0.4):
            text = text.replace(",", "")
        if pick.chance(0.6):
            text = text.replace("ё", "е")
        return self._letter_case(text) + pick.one(QUESTION_ENDS if kind in QUESTION_KINDS else STATEMENT_ENDS)

    def _surround(self, lang: str, kind: str, text: str) -> str:
        pick = self._pick
        if kind not in NO_OPENER and pick.chance(0.15):
            text = pick.one(OPENERS[lang]) + text
        elif pick.chance(0.15):
            text = pick.one(FILLERS[lang]) + text
        return text + pick.one(TAILS[lang]) if pick.chance(0.1) else text

    def _letter_case(self, text: str) -> str:
        pick = self._pick
        if pick.chance(0.03):
            return text.upper()
        if pick.chance(0.4):
            return text
        text = re.sub(r"\bi\b", "I", text[:1].upper() + text[1:])
        for name, proper in (("tandem", "Tandem"), ("тандем", "Тандем"), ("mlx", "MLX"), ("ollama", "Ollama")):
            text = text.replace(name, proper)
        return text


def template_weight(template: list[list[str]]) -> float:
    """Square root of the number of phrases: a rich template is seen more often, but does not drown the others.

    A template of one group lists whole phrases, the shortest and commonest ones, so it counts more.
    """
    count = math.prod(len(group) for group in template)
    return count**0.5 * (2.5 if len(template) == 1 else 1.0)


def drop_word(text: str, pick: Picker) -> str:
    words = text.split(" ")
    if len(words) < 5:
        return text
    del words[pick.below(len(words))]
    return " ".join(words)


def misspell(text: str, alphabet: str, pick: Picker) -> str:
    """One typing error in one word of four letters or more: a letter lost, doubled, swapped or replaced."""
    words = text.split(" ")
    long_words = [i for i, word in enumerate(words) if len(word) >= 4]
    if not long_words:
        return text
    index = pick.one(long_words)
    word = words[index]
    at = 1 + pick.below(len(word) - 2)
    words[index] = pick.one(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + pick.one(alphabet) + word[at + 1 :],
        ]
    )
    return " ".join(words)


def build_corpus(seed: int = SEED, size: int = CORPUS_SIZE) -> list[Message]:
    check_unambiguous()
    return Generator(seed).corpus(size)


def corpus_hash(corpus: list[Message]) -> str:
    """SHA-256 over the messages, one JSON array a line."""
    digest = hashlib.sha256()
    for message in corpus:
        line = json.dumps([message.lang, message.kind, message.text], ensure_ascii=False)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def all_phrases() -> Iterator[str]:
    """Every undecorated phrase of every template."""
    for lang, kind in itertools.product(LANGUAGES, KINDS):
        yield from itertools.chain.from_iterable(map(expansions, PHRASES[lang][kind]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hash", action="store_true")
    parser.add_argument("--phrases", action="store_true")
    options = parser.parse_args()
    corpus = build_corpus()
    if options.hash:
        print(corpus_hash(corpus))
    if options.phrases:
        texts = itertools.chain((message.text for message in corpus), all_phrases())
        sys.stdout.reconfigure(encoding="utf-8")
        sys.stdout.writelines(line + "\n" for line in dict.fromkeys(texts))


if __name__ == "__main__":
    main()
