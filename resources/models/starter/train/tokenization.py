"""The byte-level BPE tokenizer, trained on the corpus, and the chat template around a message."""

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from generator import Message, Picker
from replies import KINDS, LANGUAGES, REPLIES

VOCABULARY_SIZE = 1536
# Ids 0, 1, 2: end of text (padding), start of a turn, end of a turn.
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
PAD_ID, TURN_START_ID, TURN_END_ID = range(3)

# The split of Llama 3. Ollama knows pre-tokenizers by this expression and calls this one `llama-bpe`.
LLAMA_3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# A reply counts this often in the tokenizer's statistics, so that replies become few, whole-word tokens.
REPLY_COPIES = 60
SPLIT_WORD_CHANCE = 0.06


def train_tokenizer(corpus: list[Message]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA_3_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    replies = [REPLIES[lang][kind] for lang in LANGUAGES for kind in KINDS] * REPLY_COPIES
    roles = ["user\n", "assistant\n"] * REPLY_COPIES
    tokenizer.train_from_iterator([message.text for message in corpus] + replies + roles, trainer)
    return tokenizer


class ChatEncoder:
    """Turns messages into token ids in the ChatML form that both servers build from the template."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._user = [TURN_START_ID, *self._ids("user\n")]
        self.turn_break = self._ids("\n")
        self._assistant = [TURN_END_ID, *self._ids("\n"), TURN_START_ID, *self._ids("assistant\n")]

    def prompt(self, text: str) -> list[int]:
        return self._user + self._ids(text) + self._assistant

    def varied_prompt(self, text: str, pick: Picker) -> list[int]:
        """As `prompt`, with some words cut in two before encoding: rare pieces are learned, typing errors do less harm."""
        pieces = [part for word in split_keeping_spaces(text) for part in cut_in_two(word, pick)]
        return self._user + [token for piece in pieces for token in self._ids(piece)] + self._assistant

    def reply(self, text: str) -> list[int]:
        return [*self._ids(text), TURN_END_ID]

    def decode(self, ids: list[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=False)

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids


def split_keeping_spaces(text: str) -> list[str]:
    """`"how are you"` becomes `["how", " are", " you"]`, the pieces that byte-level BPE sees."""
    first, *rest = text.split(" ")
    return [first, *(" " + word for word in rest)]


def cut_in_two(word: str, pick: Picker) -> list[str]:
    if len(word) < 4 or not pick.chance(SPLIT_WORD_CHANCE):
        return [word]
    at = 2 + pick.below(len(word) - 3)
    return [word[:at], word[at:]]
