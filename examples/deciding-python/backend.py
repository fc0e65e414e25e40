"""A backend that decides, with FastAPI and SQLite: who connects, who joins, what is published, and what clients call."""

import hashlib
import hmac
import json
import os
import re
import sqlite3
import time
import uuid
from http.cookies import SimpleCookie

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response

PORT = int(os.environ.get("PORT", "3000"))
BACKEND_SECRET = os.environ["BACKEND_SECRET"].encode()
# An older question is rejected: an attacker may have recorded it and sent it again.
MAX_AGE_SECONDS = 300
SUPPRESSED = re.compile(r"\bbuy followers\b", re.IGNORECASE)
MASKED = re.compile(r"\b(?:darn|heck)\b", re.IGNORECASE)

# A real backend has these tables already.
database = sqlite3.connect(":memory:", check_same_thread=False)
database.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, user TEXT NOT NULL)")
database.execute("CREATE TABLE members (room TEXT, user TEXT, name TEXT NOT NULL, PRIMARY KEY (room, user))")
database.executemany("INSERT INTO members VALUES (?, ?, ?)", [("team", "alice", "Alice"), ("team", "bob", "Bob")])

app = FastAPI(openapi_url=None)


@app.get("/login")
async def login(user: str, response: Response):
    # A real backend asks for a password.
    session = str(uuid.uuid4())
    database.execute("INSERT INTO sessions VALUES (?, ?)", (session, user))
    response.set_cookie("session", session, httponly=True, samesite="lax")
    return "logged in"


@app.post("/decide")
async def decide(request: Request):
    body = await request.body()
    timestamp = request.headers.get("X-Crosspod-Timestamp", "")
    signature = request.headers.get("X-Crosspod-Signature", "")
    if not is_from_gateway(timestamp, signature, body):
        raise HTTPException(401, "the signature is wrong or old")
    question = json.loads(body)
    return ANSWERS[question["event"]](question, question["connection"]["user_id"])


def connect(question, _user):
    """The session of the page names the user."""
    cookies = SimpleCookie(question["connection"]["headers"].get("cookie", ""))
    session = cookies["session"].value if "session" in cookies else ""
    row = database.execute("SELECT user FROM sessions WHERE id = ?", (session,)).fetchone()
    if row is None:
        return {"allow": False, "code": "logged_out", "error": "log in first"}
    return {"allow": True, "user_id": row[0]}


def join(question, user):
    """The table says who may join; the gateway need not ask again for a minute."""
    room = question["room"]
    row = database.execute("SELECT name FROM members WHERE room = ? AND user = ?", (room, user)).fetchone()
    if row is None:
        return {"allow": False, "error": f"you are no member of {room}", "ttl_seconds": 60}
    return {"allow": True, "meta": {"name": row[0]}, "ttl_seconds": 60}


def moderate(question, _user):
    data = question["message"]["data"]
    if not isinstance(data, str):
        return {"allow": True}
    if SUPPRESSED.search(data):
        return {"allow": True, "suppress": True}
    clean = MASKED.sub(lambda word: "*" * len(word[0]), data)
    return {"allow": True} if clean == data else {"allow": True, "message": {"data": clean}}


def call(question, user):
    if question["method"] != "my-rooms":
        return {"allow": False, "code": "unknown_method"}
    rows = database.execute("SELECT room FROM members WHERE user = ? ORDER BY room", (user,))
    return {"allow": True, "data": [room for (room,) in rows]}


ANSWERS = {"connect": connect, "join": join, "publish": moderate, "call": call}


def is_from_gateway(timestamp, signature, body):
    """Whether the gateway sent this question, and recently."""
    digest = hmac.new(BACKEND_SECRET, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    # A comparison that stops at the first difference would tell an attacker how much of a signature is right.
    if not hmac.compare_digest(f"sha256={digest}".encode(), signature.encode()):
        return False
    return abs(time.time() - int(timestamp)) < MAX_AGE_SECONDS


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=PORT, log_level="warning")
