"""firebase-admin, unmodified, against a locked server with TLS, opened by a service account that the server made.

usage: tls_client.py HOST:PORT locked ADMIN_SECRET FOLDER DHOLE
FOLDER has what tls_files.py makes; DHOLE is the built program.
"""

import asyncio
import http.client
import json
import os
import queue
import ssl
import subprocess
import sys
import threading

host, scenario, admin, folder, dhole = sys.argv[1:6]
port = host.rsplit(":", 1)[1]
url = f"https://localhost:{port}"
authority = os.path.join(folder, "authority.pem")
account = os.path.join(folder, "service-account.json")
os.environ["REQUESTS_CA_BUNDLE"] = authority

import firebase_admin  # noqa: E402
import google.auth.exceptions  # noqa: E402
import requests  # noqa: E402
import websockets  # noqa: E402
from firebase_admin import auth, credentials, db, exceptions  # noqa: E402
from google.auth.transport.requests import AuthorizedSession  # noqa: E402
from checks import check, refused  # noqa: E402

RULES = {"rules": {"rooms": {"$room": {".read": "auth.uid === $room", ".write": "auth.uid === $room"}},
                   "scores": {".read": "auth.token.role === 'editor'", ".indexOn": "n"}}}


def run(*arguments, knows=True, credential=admin, where=url):
    environment = {"PATH": os.environ["PATH"], "HOME": folder}
    if knows:
        environment["DHOLE_CA"] = authority
    if credential:
        environment["DHOLE_AUTH"] = credential
    return subprocess.run([dhole, *arguments, "--url", where], capture_output=True, text=True, timeout=120,
                          env=environment)


def command_line():
    unknown = run("db", "list", knows=False)
    check((unknown.returncode, "certificate" in unknown.stderr, "DHOLE_CA" in unknown.stderr), (2, True, True),
          f"a certificate of somebody unknown is refused: {unknown.stderr}")
    plain = run("db", "list", where=f"http://localhost:{port}")
    check(plain.returncode != 0, True, "nothing is answered without TLS")
    check(admin in plain.stdout + plain.stderr, False, "and the secret is not repeated")
    check(run("db", "list").stdout, "default\n", "the command line knows the authority that it is told")
    check(run("db", "list", where=f"https://127.0.0.1:{port}").stdout, "default\n", "by the address as well")
    rules = os.path.join(folder, "rules.json")
    with open(rules, "w") as file:
        json.dump(RULES, file)
    check(run("rules", "deploy", rules).returncode, 0, "rules are deployed")
    made = run("service-account", "create", "default", account)
    check(made.returncode, 0, f"a service account is made: {made.stderr}")
    check(os.stat(account).st_mode & 0o777, 0o600, "for its owner's eyes only")
    with open(account) as file:
        check(json.load(file)["token_uri"], f"{url}/.auth/token", "which gets tokens here, by TLS")


def data():
    firebase_admin.initialize_app(credentials.Certificate(account), {"databaseURL": url})
    rooms = db.reference("rooms")
    rooms.set({"mia": {"text": "hi", "n": 1}})
    check(rooms.get(), {"mia": {"n": 1, "text": "hi"}}, "a value is set and read")
    key = rooms.child("mia/list").push("x").key
    check(rooms.child(f"mia/list/{key}").get(), "x", "a value is pushed")
    rooms.child("mia").update({"n": 2, "text": None})
    check(rooms.child("mia/n").transaction(lambda n: n + 1), 3, "a transaction runs")
    value, etag = rooms.child("mia/n").get(etag=True)
    check(rooms.child("mia/n").set_if_unchanged("wrong", 5)[0], False, "a condition is checked")
    check(rooms.child("mia/n").set_if_unchanged(etag, value + 1)[0], True, "and holds")
    db.reference("scores").set({name: {"n": n} for n, name in enumerate("abcd")})
    found = db.reference("scores").order_by_child("n").limit_to_last(2).get()
    check(list(found), ["c", "d"], "a query is answered")

    events = queue.Queue()
    listening = rooms.child("mia").listen(events.put)
    check(events.get(timeout=60).data["n"], 4, "a listen begins")
    rooms.child("mia/n").set(9)
    event = events.get(timeout=60)
    check((event.event_type, event.path, event.data), ("put", "/n", 9), "and hears of a change")
    # The SDK notices that it shall close when the next event comes.
    writer = threading.Timer(0.3, lambda: rooms.child("mia/n").set(10))
    writer.start()
    listening.close()
    writer.join()
    rooms.child("mia/list").delete()
    check(rooms.child("mia/list").get(), None, "a value is deleted")


def overrides():
    def app(name, override):
        return firebase_admin.initialize_app(
            credentials.Certificate(account), {"databaseURL": url, "databaseAuthVariableOverride": override}, name)

    mia, editor, nobody = app("mia", {"uid": "mia"}), app("editor", {"uid": "e", "token": {"role": "editor"}}), app("nobody", None)
    check(db.reference("rooms/mia/n", mia).get(), 10, "as a user, what is theirs is read")
    refused(exceptions.UnauthenticatedError, "and nothing else", lambda: db.reference("rooms/leo", mia).get())
    check(list(db.reference("scores", editor).order_by_child("n").limit_to_last(1).get()), ["d"], "rules see the claims")
    refused(exceptions.UnauthenticatedError, "nobody reads nothing", lambda: db.reference("rooms/mia", nobody).get())


async def socket(token):
    context = ssl.create_default_context(cafile=authority)
    async with websockets.connect(f"wss://localhost:{port}/.ws?v=5&ns=default", ssl=context) as connection:
        await asyncio.wait_for(connection.recv(), 60)
        for number, (action, body) in enumerate([("auth", {"cred": token}), ("p", {"p": "/rooms/mia/w", "d": 1}),
                                                 ("p", {"p": "/rooms/leo/w", "d": 1})], 1):
            await connection.send(json.dumps({"t": "d", "d": {"r": number, "a": action, "b": body}}))
            answer = json.loads(await asyncio.wait_for(connection.recv(), 60))["d"]
            check((answer["r"], answer["b"]["s"]), (number, "permission_denied" if number == 3 else "ok"),
                  f"the socket answers {action} {body.get('p', '')}")


def users():
    """What `auth` of firebase-admin would send, were it not bound to `owner` with an emulator."""
    session = AuthorizedSession(firebase_admin.get_app().credential.get_credential())
    place = f"{url}/identitytoolkit.googleapis.com/v1/projects/default/accounts"
    made = session.post(place, json={"localId": "mia", "email": "mia@example.com"}, timeout=60)
    check((made.status_code, made.json()["localId"]), (200, "mia"), "a service account makes a user")
    found = session.post(place + ":lookup", json={"email": ["mia@example.com"]}, timeout=60).json()
    check([user["localId"] for user in found["users"]], ["mia"], "and finds her")
    foreign = f"{url}/identitytoolkit.googleapis.com/v1/projects/other/accounts:batchGet"
    check(session.get(foreign, timeout=60).status_code, 401, "but nobody of another database")
    check(requests.post(place + ":lookup", json={"localId": ["mia"]}, headers={"Authorization": "Bearer owner"},
                        timeout=60).status_code, 401, "the emulator's operator is nobody here")
    signed_in = requests.post(
        f"{url}/identitytoolkit.googleapis.com/v1/accounts:signInWithCustomToken?key=default",
        json={"token": auth.create_custom_token("mia").decode(), "returnSecureToken": True}, timeout=60).json()
    return signed_in["idToken"]


def revoked():
    with open(account) as file:
        key = json.load(file)["private_key_id"]
    check(run("service-account", "revoke", "default", key).returncode, 0, "the service account's key is revoked")
    # The SDK asks for another when its token is refused, and gets none.
    refused(google.auth.exceptions.RefreshError, "its token is over at once, and there is no other",
            lambda: db.reference("rooms").get())


def plain_text():
    connection = http.client.HTTPConnection("localhost", int(port), timeout=60)
    try:
        connection.request("GET", "/.json?auth=x")
        answer = connection.getresponse().read()
    except (http.client.HTTPException, OSError):
        answer = b""
    check(answer, b"", "plain HTTP gets nothing")


command_line()
data()
overrides()
asyncio.run(socket(users()))
revoked()
plain_text()
print("done", scenario)
