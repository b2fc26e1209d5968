"""Signs in at a locked server with tokens of firebase-admin, unmodified, and uses them on REST and WebSocket.

usage: auth_client.py HOST:PORT SCENARIO ADMIN_SECRET
"""

import asyncio
import json
import sys
import time

import firebase_admin
import jwt
import websockets
from firebase_admin import auth, credentials
from checks import asking, check

host, scenario, admin = sys.argv[1], sys.argv[2], sys.argv[3]
RULES = {"rules": {
    "users": {"$uid": {".read": "auth.uid === $uid", ".write": "auth.uid === $uid"}},
    "editors": {".read": "auth.token.role === 'editor'", ".write": "auth.token.role === 'editor'"}}}


ask = asking(host)


def make_database():
    status, made = ask("PUT", "/.admin/databases/shop.json", credential=admin)
    check(status, 201, "the database is made")
    check(ask("PUT", "/.settings/rules.json?ns=shop", RULES, made["secret"])[0], 200, "its secret installs rules")
    return made["secret"]


class Session:
    @classmethod
    async def open(cls):
        session = cls()
        session.socket = await websockets.connect(f"ws://{host}/.ws?v=5&ns=shop")
        session.number = 0
        session.pushes = []
        await session.receive()
        return session

    async def receive(self):
        return json.loads(await asyncio.wait_for(self.socket.recv(), 30))

    async def ask(self, action, body):
        self.number += 1
        await self.socket.send(json.dumps({"t": "d", "d": {"r": self.number, "a": action, "b": body}}))
        while True:
            message = (await self.receive())["d"]
            if message.get("r") == self.number:
                return message["b"]["s"], message["b"]["d"]
            self.pushes.append((message["a"], message["b"]))

    async def push(self):
        if self.pushes:
            return self.pushes.pop(0)
        message = (await self.receive())["d"]
        return message["a"], message["b"]


def exchange(token):
    return ask("POST", "/identitytoolkit.googleapis.com/v1/accounts:signInWithCustomToken?key=shop",
               {"token": token, "returnSecureToken": True})


async def use_on_socket(token):
    session = await Session.open()
    status, _ = await session.ask("q", {"p": "/editors", "h": ""})
    check(status, "permission_denied", "nobody is denied on the socket")
    status, data = await session.ask("auth", {"cred": token})
    check((status, data["auth"]["uid"], data["auth"]["token"]["role"]), ("ok", "mia", "editor"), "auth is accepted")
    check((await session.ask("p", {"p": "/users/mia/y", "d": 2}))[0], "ok", "the socket writes what is hers")
    check((await session.ask("p", {"p": "/users/leo/y", "d": 2}))[0], "permission_denied", "and nothing else")
    check((await session.ask("q", {"p": "/editors", "h": ""}))[0], "ok", "rules see the claims on the socket")
    status, data = await session.ask("auth", {"cred": token[:-2]})
    check(status, "invalid_token", "a damaged token is refused")
    await session.socket.close()


def custom():
    make_database()
    status, file = ask("POST", "/.admin/databases/shop/service-accounts.json", {"url": f"http://{host}"}, admin)
    check(status, 201, "a service account is made")
    firebase_admin.initialize_app(credentials.Certificate(file))
    access = firebase_admin.get_app().credential.get_access_token().access_token
    check(ask("PUT", "/anything.json?ns=shop", 1, access), (200, 1), "its own access token makes an operator")
    check(ask("GET", "/anything.json", credential=access)[0], 401, "of that database only")
    check(ask("GET", "/.admin/databases.json", credential=access)[0], 401, "and not of the server")
    token = auth.create_custom_token("mia", {"role": "editor"}).decode()
    check(ask("GET", "/users/mia.json?ns=shop", credential=token)[0], 401, "a custom token has to be exchanged")
    status, signed_in = exchange(token)
    check((status, signed_in["isNewUser"]), (200, True), "it is exchanged")
    check(exchange(token)[1]["isNewUser"], False, "and once more for the same user")
    id_token = signed_in["idToken"]
    place = "/users/mia/x.json?ns=shop"
    check(ask("PUT", place, 1, id_token), (200, 1), "REST writes what is hers")
    check(ask("GET", f"{place}&auth={id_token}"), (200, 1), "and reads it, with the token in the address")
    check(ask("GET", "/users/leo.json?ns=shop", credential=id_token)[0], 401, "and nothing else")
    check(ask("PUT", "/editors/x.json?ns=shop", 1, id_token), (200, 1), "rules see the claims")
    check(ask("GET", "/users/mia.json", credential=id_token)[0], 401, "another database refuses it")
    asyncio.run(use_on_socket(id_token))
    keys = jwt.PyJWKSet.from_dict(ask("GET", "/.auth/jwks.json")[1])
    key = keys[jwt.get_unverified_header(id_token)["kid"]]
    claims = jwt.decode(id_token, key.key, algorithms=["ES256"], audience="shop", issuer="dhole/shop")
    check((claims["sub"], claims["role"]), ("mia", "editor"), "others can check it with the published keys")
    forged = jwt.encode({**claims, "sub": "leo", "user_id": "leo"}, "k" * 40, algorithm="HS256",
                        headers={"kid": key.key_id})
    check(ask("GET", "/users/leo.json?ns=shop", credential=forged)[0], 401, "a forged one is refused")


async def expire(secret):
    def mint(seconds, **claims):
        now = int(time.time())
        return jwt.encode({"v": 0, "iat": now, "exp": now + seconds, "d": {"uid": "mia"}, **claims}, secret, "HS256")

    session = await Session.open()
    check((await session.ask("auth", {"cred": mint(3)}))[0], "ok", "a short token is accepted")
    check((await session.ask("q", {"p": "/users/mia", "h": ""}))[0], "ok", "and listens")
    seen = {}
    while not {"ac", "c"} <= seen.keys():
        name, body = await session.push()
        seen[name] = body
    check(seen["ac"], {"s": "expired_token", "d": "Auth token is expired."}, "its end is told")
    check(seen["c"]["p"].strip("/"), "users/mia", "and what is no longer allowed is cancelled")
    check((await session.ask("p", {"p": "/users/mia/z", "d": 1}))[0], "permission_denied", "nothing is written then")
    check((await session.ask("auth", {"cred": mint(-1)}))[0], "expired_token", "an old token is refused as such")
    check((await session.ask("auth", {"cred": mint(2)}))[0], "ok", "a fresh one is taken on the same connection")
    check((await session.ask("q", {"p": "/users/mia", "h": ""}))[0], "ok", "and listens again")
    check((await session.ask("auth", {"cred": mint(3600)}))[0], "ok", "a longer one replaces it before its end")
    await asyncio.sleep(3)
    check((await session.ask("p", {"p": "/users/mia/z", "d": 1}))[0], "ok", "which is then nobody's business")
    check([push for push in session.pushes if push[0] in ("ac", "c")], [], "nothing was revoked")
    await session.socket.close()


if scenario == "custom":
    custom()
else:
    asyncio.run(expire(make_database()))
print("done", scenario)
