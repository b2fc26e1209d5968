"""Tries the cases of the shipped rule sets on a server: every operation must come out as its case says.

usage: rules_cases.py HOST:PORT SCENARIO
SCENARIO is `admin`: firebase-admin with databaseAuthVariableOverride, or `socket`: a bare WebSocket client.
"""

import asyncio
import json
import os
import pathlib
import re
import sys
import urllib.request

host, scenario = sys.argv[1], sys.argv[2]
os.environ["FIREBASE_DATABASE_EMULATOR_HOST"] = host

import firebase_admin
import websockets
from firebase_admin import db, exceptions

SETS = pathlib.Path(__file__).resolve().parents[2] / "rules"
NAMES = ["board", "chat", "im", "leaderboard", "per-user", "roles", "todo", "webrtc"]


def without_comments(text):
    return re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda match: match.group(1) or "", text)


def put(path, body, namespace):
    request = urllib.request.Request(
        f"http://{host}/{path}.json?ns={namespace}", data=body.encode(), method="PUT",
        headers={"Authorization": "Bearer owner"})
    urllib.request.urlopen(request).read()


def cases_of(name):
    """The cases that do not need a clock of their own, each with who asks and what is there."""
    file = json.loads(without_comments((SETS / f"{name}.cases.json").read_text()))
    people = {"admin": "admin", None: None, **file.get("auth", {})}
    for case in file["cases"]:
        if "now" in case or uses_time(case):
            continue
        who = case.get("as")
        yield case, people[who] if not isinstance(who, dict) else who, case.get("data", file.get("data"))


def uses_time(case):
    """Times in these values are of the cases' clock, not of the server's."""
    return re.search(r"\b1[67]\d{11}\b", json.dumps(case.get("value")))


def verb_of(case):
    return next(verb for verb in ("read", "set", "update", "remove") if verb in case)


class Admin:
    """firebase-admin, one app for each who asks."""

    def __init__(self, namespace):
        self.url = f"https://{namespace}.firebaseio.com"
        self.apps = {}

    def app(self, auth):
        name = f"{self.url} {json.dumps(auth)}"
        if name not in self.apps:
            options = {"databaseURL": self.url, "projectId": "interop"}
            if auth != "admin":
                options["databaseAuthVariableOverride"] = auth
            self.apps[name] = firebase_admin.initialize_app(options=options, name=name)
        return self.apps[name]

    async def allows(self, case, auth):
        verb = verb_of(case)
        reference = db.reference(case[verb], app=self.app(auth))
        try:
            if verb == "read":
                self.query(reference, case.get("query", {})).get()
            elif verb == "remove":
                reference.delete()
            else:
                getattr(reference, verb)(case["value"])
            return True
        except exceptions.UnauthenticatedError as error:
            if "Permission denied" not in str(error):
                raise
            return False

    @staticmethod
    def query(reference, facts):
        if "orderByChild" in facts:
            reference = reference.order_by_child(facts["orderByChild"])
        elif facts.get("orderByValue"):
            reference = reference.order_by_value()
        elif facts:
            reference = reference.order_by_key()
        for field, method in (("limitToFirst", "limit_to_first"), ("limitToLast", "limit_to_last"),
                              ("startAt", "start_at"), ("endAt", "end_at"), ("equalTo", "equal_to")):
            if field in facts:
                reference = getattr(reference, method)(facts[field])
        return reference

    async def close(self):
        for app in self.apps.values():
            firebase_admin.delete_app(app)


class Socket:
    """A bare WebSocket, one for each who asks."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.sockets = {}
        self.number = 0

    async def ask(self, socket, action, body):
        self.number += 1
        await socket.send(json.dumps({"t": "d", "d": {"r": self.number, "a": action, "b": body}}))
        while True:
            text = await socket.recv()
            if text.isdigit():
                text = "".join([await socket.recv() for _ in range(int(text))])
            data = json.loads(text).get("d", {})
            if data.get("r") == self.number:
                return data["b"]

    async def socket(self, auth):
        name = json.dumps(auth)
        if name not in self.sockets:
            socket = await websockets.connect(
                f"ws://{host}/.ws?v=5&ns={self.namespace}", max_size=None, compression=None)
            await socket.recv()
            credential = {"cred": "owner"}
            if auth is None:
                credential["noauth"] = True
            elif auth != "admin":
                credential["authvar"] = auth
            answer = await self.ask(socket, "gauth", credential)
            assert answer["s"] == "ok", answer
            self.sockets[name] = socket
        return self.sockets[name]

    async def allows(self, case, auth):
        socket, verb = await self.socket(auth), verb_of(case)
        place = "/" + case[verb]
        if verb == "read":
            answer = await self.ask(socket, "q", {"p": place, "h": "", **self.query(case.get("query"))})
            if answer["s"] == "ok":
                await self.ask(socket, "n", {"p": place, **self.query(case.get("query"))})
        elif verb == "update":
            answer = await self.ask(socket, "m", {"p": place, "d": case["value"]})
        else:
            answer = await self.ask(socket, "p", {"p": place, "d": case.get("value")})
        if answer["s"] not in ("ok", "permission_denied"):
            raise AssertionError(answer)
        return answer["s"] == "ok"

    @staticmethod
    def query(facts):
        if not facts:
            return {}
        query = {"i": facts.get("orderByChild", ".value" if facts.get("orderByValue") else ".key")}
        for field, side in (("limitToFirst", "l"), ("limitToLast", "r")):
            if field in facts:
                query["l"], query["vf"] = facts[field], side
        if "startAt" in facts or "equalTo" in facts:
            query["sp"] = facts.get("equalTo", facts.get("startAt"))
        if "endAt" in facts or "equalTo" in facts:
            query["ep"] = facts.get("equalTo", facts.get("endAt"))
        return {"q": query, "t": 1}

    async def close(self):
        for socket in self.sockets.values():
            await socket.close()


async def main():
    tried = {"allow": 0, "deny": 0}
    for name in NAMES:
        namespace = f"rules-{scenario}-{name}"
        client = Admin(namespace) if scenario == "admin" else Socket(namespace)
        put(".settings/rules", (SETS / f"{name}.json").read_text(), namespace)
        for case, auth, data in cases_of(name):
            put("", json.dumps(data), namespace)
            expected = case["expect"]
            outcome = "allow" if await client.allows(case, auth) else "deny"
            if outcome != expected:
                raise AssertionError(f"{name}: {case.get('name', case)}: expected {expected}, was {outcome}")
            tried[expected] += 1
        print("ok", name)
        await client.close()
    assert tried["allow"] > 60 and tried["deny"] > 60, tried
    print("tried", tried)


asyncio.run(main())
print("done", scenario)
