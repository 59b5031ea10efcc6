"""Events made from real texts: many posts that vary around one text, among posts of other texts."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks.grouping.worlds import EVENT_POSTS, OTHER_POSTS, Word, World, world_of

KEPT_WORDS = 0.7
"""Probability that a post keeps a word of a text that is not its event's."""
LEAST_WORDS = 5
"""Words of a text that an event is made from."""
ABOUT_SHARE = 0.25
"""Share of a word's posts in events from which it is about an event."""


def events_of_texts(
    random: np.random.Generator, texts: Sequence[Sequence[str]], probability: float, *, events: int = 4
) -> World:
    """Return the alerts of `events` events at the same time.

    Each event has a text of its own, and each of its posts has each of that text's words with `probability`,
    beside words of another text, drawn for each post. Other posts are drawn from all texts. The words of a
    text are what the keyword rule makes of it; a word of several events' texts is about those that use it.
    """
    chosen = random.choice([n for n, text in enumerate(texts) if len(text) >= LEAST_WORDS], events, False)
    posts = [_some_words(random, texts, KEPT_WORDS) for _ in range(OTHER_POSTS)]
    used: dict[str, Counter[str]] = defaultdict(Counter)
    for number, text in enumerate(chosen):
        for _ in range(int(random.integers(*EVENT_POSTS))):
            own = {word for word in texts[text] if random.random() < probability}
            posts.append(own | _some_words(random, texts, KEPT_WORDS))
            for word in own:
                used[word][f"event{number}"] += 1
    return world_of(_words(posts, texts, used), len(posts))


def _some_words(random: np.random.Generator, texts: Sequence[Sequence[str]], kept: float) -> set[str]:
    return {word for word in texts[int(random.integers(len(texts)))] if random.random() < kept}


def _words(
    posts: Sequence[set[str]], texts: Sequence[Sequence[str]], used: dict[str, Counter[str]]
) -> list[Word]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, words in enumerate(posts):
        for word in words:
            numbers[word].append(number)
    frequency = Counter(word for text in texts for word in set(text))
    return [
        Word(
            word,
            np.array(with_word),
            frequency[word] / len(texts) * KEPT_WORDS * len(posts),
            frozenset(
                event for event, times in used[word].items() if times >= ABOUT_SHARE * used[word].total()
            )
            or frozenset({word}),
        )
        for word, with_word in sorted(numbers.items())
    ]
