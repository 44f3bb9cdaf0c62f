"""What the words of a report mean, for somebody who has never seen a rotation."""

from __future__ import annotations

from rotators.fleet.standing import STUCK_AFTER, Standing

_STUCK_HOURS = STUCK_AFTER.total_seconds() / 3600

#: By the value of the Standing.
MEANINGS = {
    "stuck": f"A rotation was begun more than {_STUCK_HOURS:.0f} hours ago, as far as can be seen, and has not ended. "
    "No other begins before it has.",
    "failing": "A rotation has begun, the date by which it should have ended has passed, and it is still being tried.",
    "overdue": "The date by which it should have been rotated has passed.",
    "never rotated": "A rotation is set up, and has never succeeded: it has the value somebody stored.",
    "rotation off": "It was rotated once, or was to be; somebody has switched that off.",
    "pending": "A rotation has begun and not ended yet. It takes seconds, or Secrets Manager is trying again.",
    "deleted": "Marked for deletion: nobody can read it, and nothing rotates it.",
    "fine": "It was rotated, and the next date lies ahead.",
}

#: The standings of secrets that have a rotation: no others are listed.
REPORTED = [one for one in Standing if one.value in MEANINGS]

TERMS = {
    "secret": "A password or key that AWS Secrets Manager keeps. This page holds names alone, never a value.",
    "rotation": "The value is replaced by a new one, in Secrets Manager and where it is used to log in.",
    "last rotated": "When a rotation last succeeded (LastRotatedDate).",
    "age": "Whole days since then: how long the value in use has been in use.",
    "next by": "The date by which Secrets Manager will have rotated it by itself (NextRotationDate), worked out from the rule.",
    "rule": "How often: every so many days, rate(…), or cron(…) with minute, hour, day, month, weekday, year, in UTC.",
    "waits since": "The secret's last change where a new version waits: the version was made at that time, or before it.",
    "time used": "The age, as a share of the time from the last rotation to the next date.",
}
