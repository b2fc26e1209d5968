"""Drives a server with python-socketio, unmodified: Wilddog's protocol as any Socket.IO client can speak it.

usage: socketio_client.py HOST:PORT SCENARIO
A scenario is v4 or v5, for Socket.IO's protocol 4 (Engine.IO 3) or 5 (Engine.IO 4), and what carries it:
v4-polling, v4-websocket, v4-upgrade, v5-polling, v5-websocket, v5-upgrade.
Prints what it has checked; ends with status 0 only if everything was as it must be.
"""

import json
import os
import queue
import sys
import threading
import time
import urllib.request

host, scenario = sys.argv[1], sys.argv[2]
protocol, carrier = scenario.split("-")
if protocol == "v4":
    # The older client stands beside the newer one.
    sys.path.insert(0, os.path.join(sys.prefix, "socketio4"))

import socketio
from checks import check

NAMESPACE = f"interop-{scenario}"
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}[carrier]
SECONDS = 20


class Client:
    """A session; its messages by number or in their order."""

    def __init__(self, path="socket.io"):
        self.sio = socketio.Client(reconnection=False)
        self.pushes = queue.Queue()
        self.controls = queue.Queue()
        self.replies = queue.Queue()
        self.gone = threading.Event()
        self.refused = queue.Queue()
        self.number = 0
        self.sio.on("wd", self.hear)
        self.sio.on("disconnect", lambda *_: self.gone.set())
        self.sio.on("connect_error", lambda *why: self.refused.put(why))
        self.sio.connect(f"http://{host}/?ns={NAMESPACE}&v=1.0", transports=TRANSPORTS, socketio_path=path)

    def hear(self, message):
        data = message["d"]
        if message["t"] == "c":
            self.controls.put(data)
        elif "r" in data:
            self.replies.put(data)
        else:
            self.pushes.put(data)

    def send(self, action, body, callback=None):
        self.number += 1
        message = {"t": "d", "d": {"r": self.number, "a": action, "b": body}}
        self.sio.emit("wd", message, **({"callback": callback} if callback else {}))
        return self.number

    def ask(self, action, body):
        number = self.send(action, body)
        reply = self.replies.get(timeout=SECONDS)
        assert reply["r"] == number, reply
        return reply["b"]

    def push(self):
        return self.pushes.get(timeout=SECONDS)


def transport_of(client):
    transport = client.sio.transport
    return transport() if callable(transport) else transport


def rest(method, path, value=None):
    body = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(f"http://{host}/{path}.json?ns={NAMESPACE}", data=body, method=method)
    return json.load(urllib.request.urlopen(request))


def main():
    check(socketio.__version__[0] if hasattr(socketio, "__version__") else protocol[1], protocol[1], "the client's version")
    first = Client(".ws")
    hello = first.controls.get(timeout=SECONDS)
    check((hello["t"], hello["d"]["v"]), ("h", "1.0"), "the handshake")
    check(abs(hello["d"]["ts"] / 1000 - time.time()) < 60, True, "the server's time")
    check(first.ask("s", {"c": {"sdk": 1}}), {"s": "ok", "d": ""}, "statistics")
    check(first.ask("q", {"p": "/room", "h": ""}), {"s": "ok", "d": {}}, "a listen")

    second = Client("socket.io")
    second.controls.get(timeout=SECONDS)
    if carrier == "upgrade":
        for client in (first, second):
            for _ in range(200):
                if transport_of(client) == "websocket":
                    break
                time.sleep(0.05)
            check(transport_of(client), "websocket", "moved to a WebSocket")
    value = {"text": "豺 \U0001f43a é\n\"quoted\"", "n": [1, 2.5, True], "deep": {"er": {"v": -1}}}
    check(second.ask("p", {"p": "/room/x", "d": value})["s"], "ok", "a put")
    check(first.push(), {"a": "d", "b": {"p": "room/x", "d": dict(value, n={"0": 1, "1": 2.5, "2": True})}}, "heard by the other")
    check(rest("GET", "room/x"), value, "and by REST")
    rest("PUT", "room/rest", "written by REST")
    check(first.push(), {"a": "d", "b": {"p": "room/rest", "d": "written by REST"}}, "REST is heard here")
    check(second.ask("m", {"p": "/room", "d": {"x/n": None, "y": 1}})["s"], "ok", "an update")
    check(first.push(), {"a": "m", "b": {"p": "room", "d": {"x/n": None, "y": 1}}}, "heard as one")

    for n in range(100):
        second.send("p", {"p": "/room/count", "d": n})
    check([first.push()["b"]["d"] for _ in range(100)], list(range(100)), "a hundred changes in their order")
    check([second.replies.get(timeout=SECONDS)["b"]["s"] for _ in range(100)], ["ok"] * 100, "a hundred acks")
    large = "ü" * 200_000
    check(second.ask("p", {"p": "/room/large", "d": large})["s"], "ok", "a large value")
    check(first.push()["b"]["d"], large, "a large push")
    check(second.ask("p", {"p": "/room/count", "d": 5, "h": ""})["c"], 26201, "a transaction that is too late")
    check(second.ask("p", {"p": "/room/none/.priority", "d": 5})["c"], 26301, "a priority of nothing")

    called = threading.Event()
    second.send("s", {"c": {}}, callback=called.set)
    check(called.wait(SECONDS), True, "an acknowledgement of Socket.IO's own")
    second.replies.get(timeout=SECONDS)

    refused = socketio.Client(reconnection=False)
    reasons = queue.Queue()
    refused.on("connect_error", lambda *why: reasons.put(why), namespace="/elsewhere")
    try:
        refused.connect(f"http://{host}/?ns={NAMESPACE}", transports=TRANSPORTS, namespaces=["/elsewhere"])
        check(protocol, "v4", "only the older client does not wait for its namespace")
    except socketio.exceptions.ConnectionError:
        print("ok another namespace is refused")
    check("Invalid namespace" in json.dumps(reasons.get(timeout=SECONDS)), True, "and is told why")
    refused.disconnect()

    check(second.ask("o", {"p": "/room/gone", "d": {".sv": "timestamp"}})["s"], "ok", "an end that is left")
    second.sio.disconnect()
    gone = first.push()
    check((gone["b"]["p"], abs(gone["b"]["d"] / 1000 - time.time()) < 60), ("room/gone", True), "is done at the end")

    first.sio.emit("wd", {"t": "d", "d": {"r": 99, "a": "p", "b": {"p": "/x", "d": b"\x00\x01"}}})
    # Where a request of its own is refused, the client ends without an event.
    for _ in range(SECONDS * 20):
        if first.gone.is_set() or first.sio.eio.state != "connected":
            break
        time.sleep(0.05)
    check(first.gone.is_set() or first.sio.eio.state != "connected", True, "binary ends the session")
    check(rest("GET", "x"), None, "and is not kept")
    print("done", scenario)


main()
os._exit(0)
