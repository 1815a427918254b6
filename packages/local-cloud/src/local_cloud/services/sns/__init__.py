"""SNS: moto's, with email that arrives as files and deliveries that cannot fail the publisher."""

from __future__ import annotations

import logging
from typing import Any

from local_cloud.cloud import Cloud
from local_cloud.services.sns.mail import Mailbox

log = logging.getLogger("local_cloud.sns")

_EMAIL = ("email", "email-json")


def install(cloud: Cloud) -> None:
    from moto.sns import models
    from moto.sns.exceptions import InvalidParameterValue, SNSException, SNSNotFoundError, TopicNotFound

    mailbox = Mailbox(cloud.settings.state_dir / "mail")
    deliver, publish, notify = models.Subscription.publish, models.SNSBackend.publish, models.Topic.publish

    def subscription_publish(
        self: Any, message: str, message_id: str, subject: str | None = None, **options: Any
    ) -> None:
        if self.protocol not in _EMAIL:
            try:
                deliver(self, message, message_id, subject=subject, **options)
            except SNSException:
                raise  # what the publisher did wrong
            except Exception:
                # On AWS a delivery is retried and at last given up; the publisher never hears of it.
                log.warning("no delivery to %s %s", self.protocol, self.endpoint, exc_info=True)
            return
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(options.get("message_attributes"), message):
            return
        if options.get("message_structure") == "json":
            message = self._parse_message_structure(message, self.protocol)
        mailbox.deliver(
            to=self.endpoint,
            message_id=message_id,
            subject=subject,
            body=message,
            topic_arn=self.topic.arn,
            as_json=self.protocol == "email-json",
        )

    def backend_publish(self: Any, message: str, *args: Any, **options: Any) -> Any:
        subject = options.get("subject")
        if subject is not None and (not 1 <= len(subject) <= 100 or not subject.isprintable()):
            # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, Subject
            raise InvalidParameterValue("Invalid parameter: Subject")
        if not message:
            raise InvalidParameterValue("Invalid parameter: Empty message")
        if len(message.encode()) > models.MAXIMUM_MESSAGE_LENGTH:  # moto counts characters
            raise InvalidParameterValue("Invalid parameter: Message too long")
        try:
            return publish(self, message, *args, **options)
        except SNSNotFoundError as error:
            arn = str(options.get("arn") or (args[0] if args else ""))
            if ":endpoint/" in arn:
                raise
            raise TopicNotFound from error

    def topic_publish(self: Any, *args: Any, **options: Any) -> Any:
        message_id = notify(self, *args, **options)
        self.sent_notifications.clear()  # kept for moto's own users; here it would only grow
        return message_id

    models.Subscription.publish = subscription_publish
    models.SNSBackend.publish = backend_publish
    models.Topic.publish = topic_publish
    models.Topic.subscriptions_confimed = property(_confirmed, lambda self, value: None)


def _confirmed(topic: Any) -> int:
    """Every subscription is confirmed at once."""
    return sum(1 for found in topic.sns_backend.subscriptions.values() if found.topic.arn == topic.arn)
