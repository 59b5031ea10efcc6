"""Render a planned day as records: one line of JSON each, shaped like the posts of the web API."""

from functools import lru_cache
from hashlib import blake2b

import orjson

from producer.simulate.damage import damage
from producer.simulate.people import author_infos, author_stats, music_id, music_infos, user_id
from producer.simulate.plan import AGAIN, EDITED, FIRST, DayPlan, plan_day
from producer.simulate.text import TextExtra, write_text
from producer.simulate.world import World

IDS_PER_DAY = 2**29
ID_SHUFFLE = 2_654_435_761

_RECORD = (
    b'{"itemInfos": {"id": "%d", "text": %b, "createTime": %b, "authorId": "%b", "musicId": "%b", '
    b'"covers": ["https://p16-va-default.akamaized.net/obj/tos-maliva-p-0068/%b"], '
    b'"coversOrigin": ["https://p16-va-default.akamaized.net/obj/tos-maliva-p-0068/%b_%d"], '
    b'"coversDynamic": ["https://p16-va-default.akamaized.net/obj/tos-maliva-p-0068/%b_%d"], '
    b'"video": {"urls": ["https://v16.muscdn.com/%b/%b/video/tos/useast2a/tos-useast2a-ve-0068c004/%b/'
    b'?a=1233&br=%d&bt=972&cr=0&cs=0&dr=0&ds=3&er=&l=%b&lr=tiktok_m&qs=0&rc=%b%%3D%%3D&vl=&vr="], '
    b'"videoMeta": {"width": %d, "height": %d, "ratio": %d, "duration": %d}}, '
    b'"diggCount": %d, "shareCount": %d, %b"commentCount": %d, "isOriginal": %b, "isOfficial": %b, '
    b'"isActivityItem": false, "warnInfo": []}, '
    b'%b, %b, %b"duetInfo": "%d", "textExtra": %b%b}'
)
_SIZES = ((576, 1024), (720, 1280), (540, 960), (576, 720))
_BOOLEAN = (b"false", b"true")


@lru_cache(1)
def cached_plan(world: World, day: int) -> DayPlan:
    """Return the plan of a day, cached because a worker needs the same day many times in a row."""
    return plan_day(world, day)


def render_slice(world: World, day: int, numbers: tuple[int, int]) -> bytes:
    """Return the day's records from the first number up to the second, exclusive, in order of delivery."""
    first, last = numbers
    plan = cached_plan(world, day)
    lines = []
    posts, variants = plan.record_post[first:last].tolist(), plan.record_variant[first:last].tolist()
    for post, variant in zip(posts, variants, strict=True):
        lines.append(render_post(plan, day, post, variant))
    lines.append(b"")
    return b"\n".join(lines)


def post_id(plan: DayPlan, day: int, post: int) -> int:
    """Return the post's id: seconds in the upper 32 bits, a number unique within eight days in the lower."""
    low = ((day % 8) * IDS_PER_DAY + post) * ID_SHUFFLE % 2**32
    return (int(plan.id_seconds[post]) << 32) | low


def render_post(plan: DayPlan, day: int, post: int, variant: int = FIRST) -> bytes:
    """Return one record as JSON; delivered again its counts have doubled, and EDITED changes its text too."""
    identity = post_id(plan, day, post)
    bits, created = int(plan.bits[post]), int(plan.created[post])
    author, music = int(plan.author[post]), int(plan.music[post])
    text, extras = write_text(plan, post)
    if variant == EDITED:
        text += " (edited)"
    plays = int(plan.plays[post]) * (1 if variant == FIRST else 2)
    digits = blake2b(b"%d" % identity).hexdigest().encode()
    width, height = _SIZES[bits & 3]
    seconds = 5 + bits % 56
    line = _RECORD % (
        identity,
        orjson.dumps(text),
        b"%d" % created if bits >> 2 & 31 == 0 else b'"%d"' % created,
        user_id(author).encode(),
        music_id(music).encode(),
        digits[:32],
        digits[32:64],
        created + 4,
        digits[64:96],
        created + 4,
        digits[96:128],
        digits[8:16],
        digits[16:48],
        900 + bits % 3000,
        digits[40:74],
        digits + digits[:28],
        width,
        height,
        seconds,
        seconds,
        plays // 9,
        plays // 170,
        b"" if bits >> 7 & 3 == 0 else b'"playCount": %d, ' % plays,
        plays // 90,
        _BOOLEAN[bits >> 9 & 1],
        _BOOLEAN[bits >> 10 & 127 == 0],
        author_infos(author),
        music_infos(music),
        _challenges(extras, bits),
        0 if bits >> 17 & 15 else identity - (1 << 40),
        orjson.dumps(extras),
        b", " + author_stats(author) if bits >> 21 & 7 == 0 else b"",
    )
    return damage(line, int(plan.damage[post])) if plan.damage[post] and variant != AGAIN else line


def _challenges(extras: list[TextExtra], bits: int) -> bytes:
    """Return challengeInfoList with its comma: mostly [], sometimes the hashtags, rarely null or absent."""
    choice = bits >> 24 & 127
    if choice == 0:
        return b""
    if choice == 1:
        return b'"challengeInfoList": null, '
    names = [str(extra["HashtagName"]) for extra in extras if extra["Type"] == 1] if choice < 40 else []
    challenges = [
        {
            "challengeId": str(int.from_bytes(name.encode()[:4]) + 801_886),
            "challengeName": name,
            "isCommerce": False,
            "text": "" if bits & 1 else f"Show us your best {name}.",
            "covers": [],
            "coversMedium": [],
            "coversLarger": [],
            "splitTitle": "",
        }
        for name in names
    ]
    return b'"challengeInfoList": ' + orjson.dumps(challenges) + b", "
