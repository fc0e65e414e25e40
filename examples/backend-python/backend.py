"""A backend beside Crosspod: it issues tokens, publishes, and receives webhooks. Needs Python 3.9 or newer."""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN_SECONDS = 3600
ATTEMPTS = 3
RETRY_SECONDS = 0.5
TIMEOUT_SECONDS = 10
# An older webhook request is rejected: an attacker may have recorded it and sent it again.
MAX_AGE_SECONDS = 300
MAX_BODY_BYTES = 1_048_576


def required(name):
    value = os.environ.get(name, "")
    if not value:
        sys.exit(f"Set {name}.")
    return value


GATEWAY_URL = os.environ.get("GATEWAY_URL", "http://localhost:8080")
PORT = int(os.environ.get("PORT", "3000"))
JWT_SECRET = required("JWT_SECRET").encode()
API_KEY = required("API_KEY")
WEBHOOK_SECRET = required("WEBHOOK_SECRET").encode()


class HttpError(Exception):
    """A request of our own clients that this backend cannot serve."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def issue_token(user):
    """A JSON Web Token, signed with HS256. The user may join the room `orders` and read it, but not publish there."""
    claims = {
        "sub": user,
        "exp": int(time.time()) + TOKEN_SECONDS,
        "permissions": ["join:orders", "presence:orders", "history:orders"],
    }
    parts = [base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    unsigned = ".".join(parts)
    signature = hmac.new(JWT_SECRET, unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64url(signature)}"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def publish(room, event, data):
    """
    Publishes an event in a room and returns the message's id. All attempts have the same `Idempotency-Key`, so the
    message is published once even if an answer was lost.
    """
    request = urllib.request.Request(
        f"{GATEWAY_URL}/api/rooms/{room}/messages",
        method="POST",
        headers={"X-API-Key": API_KEY, "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())},
        data=json.dumps({"event": event, "data": data}).encode(),
    )
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)["id"]
        except urllib.error.HTTPError as error:
            status, may_work_later = error.code, error.code == 429 or error.code >= 500
        except OSError:
            status, may_work_later = "nothing", True
        if not may_work_later or attempt == ATTEMPTS:
            raise HttpError(502, f"the gateway answered {status}")
        time.sleep(RETRY_SECONDS)


def is_from_gateway(timestamp, signature, body):
    """Whether the gateway sent this webhook request, and recently."""
    digest = hmac.new(WEBHOOK_SECRET, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    # A comparison that stops at the first difference would tell an attacker how much of a signature is right.
    if not hmac.compare_digest(f"sha256={digest}".encode(), signature.encode()):
        return False
    return abs(time.time() - int(timestamp)) < MAX_AGE_SECONDS


# The gateway may send an event twice, with the same id. A real backend keeps the ids in its database.
seen = set()


def receive(events):
    for event in events:
        if event["id"] in seen:
            continue
        seen.add(event["id"])
        words = ["webhook", event["type"], event["room"], event.get("user_id", "")]
        print(" ".join(word for word in words if word), flush=True)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.serve({"/token": self.token})

    def do_POST(self):
        self.serve({"/orders": self.orders, "/webhook": self.webhook})

    def serve(self, routes):
        try:
            route = routes.get(urllib.parse.urlsplit(self.path).path)
            if route is None:
                raise HttpError(404, "no such route")
            route()
        except HttpError as error:
            self.answer(error.status, str(error))

    def token(self):
        # A real backend takes the user from its own login session, never from the address.
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        user = query.get("user", [""])[0]
        if not user:
            raise HttpError(400, "the parameter user is missing")
        self.answer(200, issue_token(user))

    def orders(self):
        try:
            order = json.loads(self.body())
        except ValueError:
            raise HttpError(400, "the body is not JSON") from None
        self.answer(200, json.dumps({"id": publish("orders", "paid", order)}), "application/json")

    def webhook(self):
        body = self.body()
        timestamp = self.headers.get("X-Crosspod-Timestamp", "")
        signature = self.headers.get("X-Crosspod-Signature", "")
        if not is_from_gateway(timestamp, signature, body):
            raise HttpError(401, "the signature is wrong or old")
        receive(json.loads(body)["events"])
        self.answer(204)

    def body(self):
        length = int(self.headers.get("Content-Length", "0"))
        if length > MAX_BODY_BYTES:
            raise HttpError(413, "the body is too long")
        return self.rfile.read(length)

    def answer(self, status, text="", content_type="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", "no-store")
        if status != 204:
            self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Logs no requests: their addresses hold names of users."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", PORT), Handler)
    print(f"listening on port {server.server_port}", flush=True)
    server.serve_forever()
