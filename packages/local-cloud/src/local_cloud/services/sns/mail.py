"""What SNS mails, as RFC 5322 files that any mail program opens."""

from __future__ import annotations

import datetime
import json
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"

#: SNS's own subject for messages that have none.
DEFAULT_SUBJECT = "AWS Notification Message"

#: RFC 5322, 2.1.1: a line's octets at most.
_MAX_LINE = 998


class Mailbox:
    """The folder of .eml files. Their names begin with the time, so they sort by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def deliver(
        self, *, to: str, message_id: str, subject: str | None, body: str, topic_arn: str, as_json: bool
    ) -> Path:
        """Write one message; it appears whole. `as_json` is the protocol email-json."""
        now = datetime.datetime.now(datetime.timezone.utc)
        if as_json:
            body = _as_json(message_id=message_id, subject=subject, body=body, topic_arn=topic_arn, now=now)
        message = compose(to=to, message_id=message_id, subject=subject or DEFAULT_SUBJECT, body=body, now=now)
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{now:%Y%m%dT%H%M%S.%fZ}-{message_id[:8]}"
        file, number = self.folder / f"{name}.eml", 2
        while file.exists():  # one message to several addresses
            file, number = self.folder / f"{name}-{number}.eml", number + 1
        temporary = file.with_suffix(".new")
        temporary.write_bytes(message)
        return temporary.rename(file)


def compose(*, to: str, message_id: str, subject: str, body: str, now: datetime.datetime) -> bytes:
    """The message as it would go over the wire, its text readable where the format allows."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = SENDER
    mail["To"] = to
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message_id}@sns.amazonaws.com>"
    mail["Subject"] = subject
    lines = body.encode().splitlines() or [b""]
    plain = "7bit" if body.isascii() else "8bit"
    mail.set_content(body, cte=plain if max(map(len, lines)) <= _MAX_LINE else "quoted-printable")
    return mail.as_bytes()


def _as_json(*, message_id: str, subject: str | None, body: str, topic_arn: str, now: datetime.datetime) -> str:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html, without a signature."""
    document = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": topic_arn,
        **({"Subject": subject} if subject else {}),
        "Message": body,
        "Timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
