"""The summary of a run, as text and as JSON."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class SendSummary:
    """Counts of one run: what was delivered to Kafka, what was rejected and why, how long it took."""

    sent: int = 0
    bytes: int = 0
    lines: int = 0
    blank: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    not_acknowledged: int = 0
    ahead_of_clock: int = 0
    seconds: float = 0.0
    finished: bool = False
    stopped_at: str | None = None

    @property
    def posts_per_second(self) -> float:
        """Posts sent per second."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return all counts by name; `rejected` by reason."""
        return {
            "sent": self.sent,
            "rejected": dict(self.rejected.most_common()),
            "rejected_total": self.rejected.total(),
            "blank": self.blank,
            "lines": self.lines,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "posts_per_second": round(self.posts_per_second, 1),
            "stopped_at": self.stopped_at,
            "not_acknowledged": self.not_acknowledged,
            "ahead_of_clock": self.ahead_of_clock,
            "finished": self.finished,
        }

    def as_text(self) -> str:
        """Return the summary as a few lines of text."""
        lines = [
            f"sent {self.sent:,} posts, {self.bytes / 1e6:,.1f} MB, in {self.seconds:,.1f} s: "
            f"{self.posts_per_second:,.0f} posts/s",
            f"rejected {self.rejected.total():,} lines",
        ]
        lines += [f"  {count:,} {reason}" for reason, count in self.rejected.most_common()]
        if self.stopped_at:
            lines.append(f"stopped: the next run resumes after {self.stopped_at}")
        if self.not_acknowledged:
            lines.append(
                f"{self.not_acknowledged:,} records were not acknowledged; the next run sends them again"
            )
        if self.ahead_of_clock:
            lines.append(
                f"{self.ahead_of_clock:,} posts have a time_stamp more than five minutes ahead of the clock: "
                "the stream will reject them; choose an earlier --start-at"
            )
        return "\n".join(lines)
