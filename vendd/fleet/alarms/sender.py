"""The way to people: a port, and Apprise behind it."""

from typing import Protocol


class SendFailed(Exception):
    """It didn't get through; worth another try later."""


class Sender(Protocol):
    def send(self, url: str, title: str, body: str) -> None:
        """Deliver one message to the address. Raises `SendFailed`."""


class AppriseSender:
    """Mail, webhooks, chats: whatever Apprise has a URL for. Its log is silenced, because it
    shows URLs, which hold secrets."""

    def send(self, url: str, title: str, body: str) -> None:
        import logging

        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if service is None:
            raise SendFailed("Apprise knows no service for this URL")
        if not service.notify(body=body, title=title):
            raise SendFailed(f"{service.service_name} did not take it")
