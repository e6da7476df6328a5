"""Ways to tell: a mail through SMTP, a JSON to a webhook. Addresses come from the environment.

ECHELON_SMTP: smtp://[user:password@]host:port or smtps://…; ECHELON_MAIL_FROM, ECHELON_MAIL_TO
(addresses by comma); ECHELON_WEBHOOK: http(s)://…. Passwords stand in no file.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from pipeline.errors import DeliveryError, UsageError
from pipeline.tell.alerts import Alert

Channel = Callable[[Alert], None]
"""Sends an alert, or raises DeliveryError."""
_TIMEOUT_S = 20


def channels(environment: Mapping[str, str]) -> dict[str, Channel]:
    """The ways that the environment names, by name; UsageError for half a mail address."""
    found: dict[str, Channel] = {}
    if server := environment.get("ECHELON_SMTP"):
        sender, to = environment.get("ECHELON_MAIL_FROM"), environment.get("ECHELON_MAIL_TO")
        if not sender or not to:
            raise UsageError("ECHELON_SMTP needs ECHELON_MAIL_FROM and ECHELON_MAIL_TO. "
                             "Next: set them.")  # fmt: skip
        found["mail"] = mail(server, sender, [one.strip() for one in to.split(",")])
    if address := environment.get("ECHELON_WEBHOOK"):
        if urlsplit(address).scheme not in ("http", "https"):
            raise UsageError("ECHELON_WEBHOOK is no http(s) address. Next: correct it.")
        found["webhook"] = webhook(address)
    return found


def mail(server: str, sender: str, to: list[str]) -> Channel:
    """Mails through a server; TLS where it is smtps:// or offers it."""
    parts = urlsplit(server)

    def send(alert: Alert) -> None:
        message = EmailMessage()
        message["Subject"] = " ".join(f"[Echelon] {alert.title}".split())
        message["From"], message["To"] = sender, ", ".join(to)
        message.set_content(f"{alert.text}\n\n{alert.link}\n")
        host, port = parts.hostname or "localhost", parts.port or 25
        try:
            trusted = ssl.create_default_context()
            made = (
                smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=trusted)
                if parts.scheme == "smtps" else smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
            )  # fmt: skip
            with made as session:
                if parts.scheme != "smtps" and session.has_extn("starttls"):
                    session.starttls(context=trusted)
                if parts.username:
                    session.login(unquote(parts.username), unquote(parts.password or ""))
                session.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(f"the mail server {host}:{port} did not take the mail: {error}. "
                                "It is tried again at the next look.") from error  # fmt: skip

    return send


def webhook(address: str) -> Channel:
    """Posts key, title, text and link as JSON."""

    def send(alert: Alert) -> None:
        body = {"key": alert.key, "title": alert.title, "text": alert.text, "link": alert.link}
        request = urllib.request.Request(  # noqa: S310  http(s) only, see channels
            address, json.dumps(body).encode(),
            {"Content-Type": "application/json", "Idempotency-Key": alert.key},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310  as above
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            host = urlsplit(address).hostname  # the address itself may hold a token
            raise DeliveryError(f"the webhook at {host} did not take the alert: {error}. "
                                "It is tried again at the next look.") from error  # fmt: skip

    return send
