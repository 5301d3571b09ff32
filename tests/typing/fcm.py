"""What a type checker sees of ``pushkit.fcm``: never executed. Google's fields have types, and wrong ones are errors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import assert_type

from pushkit import AsyncClient, Notification, Outcome, Report, fcm


def built_right(google_credentials: object) -> fcm.Message:
    """Every block, enums by member or word, durations in both forms, every kind of credential."""
    fcm.Config(credentials=fcm.ServiceAccount.from_file("service-account.json"), ramp=timedelta(minutes=1))
    fcm.Config(credentials=fcm.MetadataServer())
    fcm.Config(credentials=fcm.StaticToken("x"), project_id="p")
    fcm.Config(credentials=fcm.GoogleAuth(google_credentials), project_id="p")
    fcm.Config(credentials=lambda: "x", project_id="p")
    return fcm.Message(
        notification=fcm.Notification(title="x"),
        data={"a": "b"},
        android=fcm.AndroidConfig(
            priority="high",
            ttl=timedelta(hours=1),
            notification=fcm.AndroidNotification(
                visibility=fcm.Visibility.PUBLIC,
                notification_priority="max",
                event_time=datetime.now(UTC),
                vibrate_timings=[0, 0.5, timedelta(seconds=1)],
                light_settings=fcm.LightSettings(color="#ffffff", light_on_duration=1, light_off_duration=0.5),
            ),
        ),
        apns=fcm.ApnsConfig(headers={"apns-priority": "5"}, payload={"aps": {"badge": 1}}, live_activity_token="x"),
        webpush=fcm.WebpushConfig(notification={"title": "x", "actions": [{"action": "a"}]}),
        ttl=60,
    )


def built_wrong() -> None:
    """Each line is an error, or the checker complains about its comment."""
    fcm.Message(titel="x")  # type: ignore[call-arg]  # no such field
    fcm.Message(notification=Notification(title="x"))  # type: ignore[arg-type]  # the portable one is not Google's
    fcm.AndroidConfig(priority="urgent")  # type: ignore[arg-type]  # no such priority
    fcm.AndroidNotification(visibility=fcm.Proxy.DENY)  # type: ignore[arg-type]  # another enum
    fcm.AndroidConfigV2(priority="high")  # type: ignore[call-arg]  # implied there
    fcm.Registration()  # type: ignore[call-arg]  # a token is needed
    fcm.Topic("a", "b")  # type: ignore[call-arg]  # one name


async def topics(push: AsyncClient) -> None:
    """What the managers give."""
    assert_type(await push.topics().subscribe("news", to=fcm.Registration("x")), Report)
    answer = await push.topics().list(fcm.Installation("x"))
    assert_type(answer.topics, tuple[fcm.TopicSubscription, ...])
    assert_type(answer.outcome, Outcome)
    assert_type(fcm.freshness(datetime.now(UTC)), fcm.Freshness)
