"""Authors and sounds of the simulated world as JSON fragments, each a function of its rank alone."""

from functools import lru_cache
from hashlib import blake2b

import orjson

from producer.simulate.vocabulary import LANGUAGES
from producer.simulate.wordlists import SIGNATURES

LEAST_ID = 6_500_000_000_000_000_000
ID_STEP = 1_000_003_777
SHORT_ID_EVERY = 50
LEAST_SHORT_ID = 5_000_000
CACHED_FRAGMENTS = 20_000
_PICTURE = "https://p16-sign-sg.tiktokcdn.com/musically-maliva-obj/%s~c5_%s.jpeg"
_SIZES = {"covers": "100x100", "coversMedium": "720x720", "coversLarger": "1080x1080"}


def user_id(author: int) -> str:
    """Return the author's id: 19 digits, fewer for the oldest accounts."""
    return str(LEAST_SHORT_ID + author) if author % SHORT_ID_EVERY == 7 else str(LEAST_ID + author * ID_STEP)


@lru_cache(CACHED_FRAGMENTS)
def mention_of(author: int) -> str:
    """Return the author's name as it follows an @."""
    return f"{LANGUAGES[author % 3].word(author % 9973)}{author}".translate(_PLAIN)


_PLAIN = str.maketrans("áéíóúãêõç", "aeiouaeoc")


def _hex(kind: str, rank: int) -> str:
    return blake2b(f"{kind}{rank}".encode(), digest_size=32).hexdigest()


def _covers(digits: str) -> str:
    return ", ".join(f'"{name}": ["{_PICTURE % (digits, size)}"]' for name, size in _SIZES.items())


@lru_cache(CACHED_FRAGMENTS)
def author_infos(author: int) -> bytes:
    """Return the author's authorInfos as JSON."""
    digits = _hex("author", author)
    language = LANGUAGES[author % len(LANGUAGES)]
    nick_name = orjson.dumps(f"{language.word(author % 5003)} {language.word(author % 211)}").decode()
    return (
        f'"authorInfos": {{"secUid": "MS4wLjABAAAA{digits[:43]}", "userId": "{user_id(author)}", '
        f'"uniqueId": "{mention_of(author)}", '
        f'"nickName": {nick_name}, "signature": "{SIGNATURES[author % len(SIGNATURES)]}", '
        f'"verified": {"true" if author < 300 else "false"}, {_covers(digits[:32])}, '
        f'"isSecret": {"true" if author % 211 == 5 else "false"}}}'
    ).encode()


def music_id(music: int) -> str:
    """Return the sound's id."""
    return str(LEAST_ID + 1 + music * ID_STEP)


@lru_cache(CACHED_FRAGMENTS)
def music_infos(music: int) -> bytes:
    """Return the sound's musicInfos as JSON; `original` is true or "", rarely false."""
    digits = _hex("music", music)
    original = "false" if music % 50 == 3 else '""' if music % 5 < 2 else "true"
    language = LANGUAGES[music % len(LANGUAGES)]
    name = (
        "original sound" if music % 3 == 0 else f"{language.word(music % 4001)} {language.word(music % 97)}"
    )
    return (
        f'"musicInfos": {{"musicId": "{music_id(music)}", "musicName": {orjson.dumps(name).decode()}, '
        f'"authorName": "{mention_of(music * 7 % 49_999_999)}", "original": {original}, '
        f'"playUrl": ["https://sf16-sg.tiktokcdn.com/obj/musically-maliva-obj/{digits[:24]}.mp3"], '
        f"{_covers(digits[32:])}}}"
    ).encode()


def author_stats(author: int) -> bytes:
    """Return the author's authorStats as JSON; heartCount is text."""
    followers = 50_000_000 // (author + 1) + author % 977
    return (
        f'"authorStats": {{"followingCount": {author % 1500}, "followerCount": {followers}, '
        f'"heartCount": "{followers * 31}", "videoCount": {author % 700 + 1}, "diggCount": {author % 9001}}}'
    ).encode()
