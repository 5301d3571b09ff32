"""
Readiness with Django: the synchronous client, one for each worker process, asked by a view.

Run it: ``python examples/health_django.py``. It asks the view twice, once with a good key and once after Apple
refused it. In a project of yours the view and the URL are all you need.
"""

from __future__ import annotations

import django
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path

import pushkit
from pushkit import Notification
from pushkit.testing import PushServer

# One client for each process. Made when the module is loaded it is safe with gunicorn's preloading too: the background
# thread starts with the first send, in each worker for itself. Here main() puts it in, with the local services.
clients: dict[str, pushkit.Client] = {}


def ready(_: HttpRequest) -> JsonResponse:
    """Whether this worker can send: open, and no credential refused. The body says why not."""
    health = clients["default"].health()
    return JsonResponse(health.as_dict(), status=200 if health.usable else 503)


urlpatterns = [path("ready", ready)]


def main() -> None:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"], SECRET_KEY="only for this example", USE_TZ=True)
    django.setup()
    from django.test import Client as Browser

    with PushServer() as server, pushkit.Client(apns=server.apns_config(), ssl_context=server.ssl_context()) as push:
        clients["default"] = push
        push.send(Notification(title="Hello"), to=server.device())
        answer = Browser().get("/ready")
        print(answer.status_code, "usable:", answer.json()["usable"])
        server.behaviour.apns.next().answer("InvalidProviderToken")
        push.send(Notification(title="Hello"), to=server.device())
        answer = Browser().get("/ready")
        print(answer.status_code, "usable:", answer.json()["usable"], "because of", answer.json()["senders"][0]["latched"])


if __name__ == "__main__":
    main()
