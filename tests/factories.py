"""Complete, valid records and settings for tests; a test states only what differs."""

import copy
from typing import Any

from pydantic import SecretStr

from core.settings import Settings

ABSENT = object()
"""As a value of `a_post`: the field is left out."""

_POST: dict[str, Any] = {
    "itemInfos": {
        "id": "6807325450981969158",
        "text": "first snow #winter",
        "createTime": "1584953968",
        "authorId": "5831967",
        "musicId": "6799337212367407877",
        "covers": ["https://p16.example.com/cover.jpeg"],
        "coversOrigin": ["https://p16.example.com/origin.jpeg"],
        "coversDynamic": ["https://p16.example.com/dynamic.webp"],
        "video": {
            "urls": ["https://v16.example.com/video.mp4"],
            "videoMeta": {"width": 576, "height": 1024, "ratio": 15, "duration": 15},
        },
        "diggCount": 1200,
        "shareCount": 30,
        "playCount": 45000,
        "commentCount": 80,
        "isOriginal": False,
        "isOfficial": False,
        "isActivityItem": False,
        "warnInfo": [],
    },
    "authorInfos": {
        "secUid": "MS4wLjABAAAA-VASjiXTh7wDDyXvjk10VFhMWUAoxr8bgfO1kAL1-9s",
        "userId": "5831967",
        "uniqueId": "snowflake",
        "nickName": "Snow Flake",
        "signature": "winter all year",
        "verified": True,
        "covers": ["https://p16.example.com/face_100.jpeg"],
        "coversMedium": ["https://p16.example.com/face_720.jpeg"],
        "coversLarger": ["https://p16.example.com/face_1080.jpeg"],
        "isSecret": False,
    },
    "musicInfos": {
        "musicId": "6799337212367407877",
        "musicName": "original sound",
        "authorName": "snowflake",
        "original": True,
        "playUrl": ["https://p16.example.com/sound.mp3"],
        "covers": ["https://p16.example.com/sound_100.jpeg"],
        "coversMedium": ["https://p16.example.com/sound_720.jpeg"],
        "coversLarger": ["https://p16.example.com/sound_1080.jpeg"],
    },
    "challengeInfoList": [
        {
            "challengeId": "7893",
            "challengeName": "winter",
            "text": "show us your winter",
            "covers": [],
            "coversMedium": [],
            "coversLarger": [],
            "splitTitle": "winter",
            "isCommerce": False,
        }
    ],
    "duetInfo": "0",
    "textExtra": [
        {
            "AwemeId": "",
            "Start": 11,
            "End": 18,
            "HashtagName": "winter",
            "HashtagId": "7893",
            "Type": 1,
            "UserId": "",
            "IsCommerce": False,
        }
    ],
    "authorStats": {
        "followingCount": 932,
        "followerCount": 40431380,
        "heartCount": "2426012173",
        "videoCount": 1072,
        "diggCount": 3555,
    },
    "time_stamp": 1584953968.0,
}


def a_post(**changes: Any) -> dict[str, Any]:
    """Return a complete post as the producer sends it, with `changes`.

    A change is a field of the record (`time_stamp=5`), a dictionary to merge into a field
    (`itemInfos={"text": "x"}`) or a dotted name (`**{"itemInfos.video.videoMeta.width": 1}`); ABSENT removes
    the field.
    """
    post = copy.deepcopy(_POST)
    for name, value in changes.items():
        *parents, field = name.split(".")
        target = post
        for parent in parents:
            target = target[parent]
        _change(target, field, value)
    return post


def _change(target: dict[str, Any], field: str, value: Any) -> None:
    if value is ABSENT:
        target.pop(field, None)
    elif isinstance(value, dict) and isinstance(target.get(field), dict):
        for name, inner in value.items():
            _change(target[field], name, inner)
    else:
        target[field] = value


def settings_without_servers(**changes: Any) -> Settings:
    """Return settings for tests that need no server; nothing answers at their addresses."""
    return Settings(
        kafka_bootstrap_servers="127.0.0.1:1",
        postgres_host="127.0.0.1",
        postgres_port=1,
        postgres_password=SecretStr("unused"),
        s3_bucket="unused",
        **changes,
    )
