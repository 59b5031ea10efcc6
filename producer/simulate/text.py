"""Write a planned post's text, and the textExtra that points into it."""

from producer.simulate.people import mention_of, user_id
from producer.simulate.plan import DayPlan, Ints
from producer.simulate.vocabulary import LANGUAGES, Language
from producer.simulate.wordlists import COMMON_TAGS, EMOJI

TextExtra = dict[str, str | int | bool]
_COMPANION_BITS = 50


def _part(values: Ints, ends: Ints, position: int) -> list[int]:
    part: list[int] = values[ends[position - 1] if position else 0 : ends[position]].tolist()
    return part


def write_text(plan: DayPlan, post: int) -> tuple[str, list[TextExtra]]:
    """Return the text of post number `post`, and its hashtags and mentions with offsets in characters.

    Emoji outside the basic plane come after the last hashtag and mention, so that offsets in characters and
    in UTF-16 units are the same.
    """
    source = int(plan.text_of[post])
    bits = int(plan.bits[source])
    language = LANGUAGES[plan.language[source]]
    words = [language.word(rank) for rank in _part(plan.words, plan.word_ends, source)]
    if not words:
        return "", []
    tags = [_tag(language, rank) for rank in _part(plan.tags, plan.tag_ends, source)]
    _insert_keyword(plan, source, bits, words, tags)
    mentions = _part(plan.mentions, plan.mention_ends, source)
    sentence = _sentence(words, language, bits)
    return _assemble(sentence, tags, mentions, bits)


def _tag(language: Language, rank: int) -> str:
    return COMMON_TAGS[-1 - rank] if rank < 0 else language.word(rank)


def _insert_keyword(plan: DayPlan, source: int, bits: int, words: list[str], tags: list[str]) -> None:
    """Insert the event's keyword into the words, every third time into the hashtags; append companions."""
    event = plan.event[source]
    keyword = plan.events[event].keyword if event >= 0 else None
    if keyword is None:
        return
    if (bits >> 8) % 3 == 0:
        tags.insert((bits >> 12) % (len(tags) + 1), keyword)
    else:
        words.insert((bits >> 12) % (len(words) + 1), keyword)
    companions = plan.events[event].companions
    words += [word for number, word in enumerate(companions) if bits >> (_COMPANION_BITS + number) & 1]


def _sentence(words: list[str], language: Language, bits: int) -> str:
    """Join the words as users do, at times with capitals, commas, quotation or exclamation marks, a URL."""
    if not language.separator:
        return "".join(words) + ("。" if bits >> 16 & 7 == 0 else "")
    if bits >> 16 & 7 == 0 and len(words) > 2:
        words[1] += ","
    if bits >> 19 & 63 == 0:
        words[0] = f'"{words[0]}"'
    sentence = " ".join(words)
    style = bits >> 25 & 31
    if style < 10:
        sentence = sentence[0].upper() + sentence[1:]
    elif style == 10:
        sentence = sentence.upper()
    elif style == 11:
        sentence += f" https://example.com/{bits >> 40:x}"
    return sentence + ("!" if bits >> 30 & 7 == 0 else "")


def _assemble(sentence: str, tags: list[str], mentions: list[int], bits: int) -> tuple[str, list[TextExtra]]:
    extras: list[TextExtra] = []
    text = "" if bits >> 33 & 3 == 0 else sentence
    for tag in tags:
        text += " #" if text else "#"
        extras.append(_extra(len(text) - 1, len(text) + len(tag), hashtag=tag))
        text += tag
    for author in mentions:
        name = mention_of(author)
        text += " @" if text else "@"
        extras.append(_extra(len(text) - 1, len(text) + len(name), user=user_id(author)))
        text += name
    if bits >> 33 & 3 == 0:
        text += (("\n" if bits >> 35 & 7 == 0 else " ") if text else "") + sentence
    for shift in range((bits >> 38) % 4 if bits >> 40 & 3 == 0 else 0):
        text += " " + EMOJI[(bits >> (42 + 5 * shift)) % len(EMOJI)]
    return text, extras


def _extra(start: int, end: int, *, hashtag: str = "", user: str = "") -> TextExtra:
    return {
        "AwemeId": "",
        "Start": start,
        "End": end,
        "HashtagName": hashtag.lower(),
        "HashtagId": "",
        "Type": 1 if hashtag else 0,
        "UserId": user,
        "IsCommerce": False,
    }


def words_of(plan: DayPlan, post: int) -> set[str]:
    """Return the words, hashtags and emoji of a post's text in lower case, without punctuation."""
    text, _ = write_text(plan, post)
    kept = (part for part in text.lower().split() if not part.startswith(("@", "http")))
    return {word for part in kept if (word := part.strip('#,!"'))}
