"""Speaks the Firebase protocol over a bare WebSocket client from PyPI.

usage: raw_socket.py HOST:PORT SCENARIO
"""

import asyncio
import json
import sys

import websockets
from checks import check

host, scenario = sys.argv[1], sys.argv[2]
FRAME = 16384


def units(text):
    return len(text.encode("utf-16-le")) // 2


class Session:
    def __init__(self, socket):
        self.socket = socket
        self.frames = 0

    @classmethod
    async def open(cls):
        url = f"ws://{host}/.ws?v=5&ns=interop-{scenario.replace('_', '-')}"
        session = cls(await websockets.connect(url, max_size=None, compression=None))
        hello = await session.receive()
        check(hello["t"], "c", "a control message comes first")
        check(hello["d"]["t"], "h", "and it is the hello")
        payload = hello["d"]["d"]
        check(type(payload["ts"]), int, "the time is an integer")
        check(payload["v"], "5", "the version is a string")
        check(payload["h"], host, "the host is the one that was dialled")
        return session

    async def send(self, message):
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        if units(text) <= FRAME:
            return await self.socket.send(text)
        half = FRAME // 2  # no character has more than two units
        pieces = [text[i:i + half] for i in range(0, len(text), half)]
        await self.socket.send(str(len(pieces)))
        for piece in pieces:
            await self.socket.send(piece)

    async def receive(self):
        text = await asyncio.wait_for(self.socket.recv(), 30)
        check(isinstance(text, str), True, "a text frame")
        if len(text) <= 6 and text.isdigit():
            count = int(text)
            pieces = [await asyncio.wait_for(self.socket.recv(), 30) for _ in range(count)]
            if max(map(units, pieces)) > FRAME:
                raise AssertionError("a frame is too long")
            self.frames += count
            text = "".join(pieces)
        elif units(text) > FRAME:
            raise AssertionError("a long message came in one frame")
        return json.loads(text)

    async def request(self, number, action, body):
        await self.send({"t": "d", "d": {"r": number, "a": action, "b": body}})

    async def push(self, what):
        message = await self.receive()
        check(message["t"] == "d" and "r" not in message["d"], True, what + " is a push")
        return message["d"]

    async def answer(self, number, status, data, what):
        check(await self.receive(), {"t": "d", "d": {"r": number, "b": {"s": status, "d": data}}}, what)


async def sample():
    """The sample session of the protocol's description."""
    session = await Session.open()
    await session.request(1, "s", {"c": {"sdk.js.10-12-0": 1}})
    await session.answer(1, "ok", "", "statistics are taken")
    await session.request(2, "gauth", {"cred": "owner"})
    answer = await session.receive()
    check((answer["d"]["r"], answer["d"]["b"]["s"]), (2, "ok"), "the operator is let in")
    rules = {"rules": {".read": True, ".write": True, "scores": {".indexOn": "pts"}}}
    await put_rules(rules)
    await session.request(10, "p", {"p": "/", "d": {"scores": {"ann": {"pts": 7}, "bo": {"pts": 9}}, "ctr": 5}})
    await session.answer(10, "ok", "", "the data is there")
    query = {"l": 2, "vf": "r", "i": "pts"}
    await session.request(3, "q", {"p": "/scores", "q": query, "t": 1, "h": ""})
    push = await session.push("the window")
    check(push, {"a": "d", "b": {"p": "scores", "d": {"ann": {"pts": 7}, "bo": {"pts": 9}}, "t": 1}}, "the window")
    await session.answer(3, "ok", {}, "the listen stands")
    await session.request(4, "p", {"p": "/scores/cy", "d": {"pts": 8, "at": {".sv": "timestamp"}}})
    push = await session.push("the change of the window")
    check((push["a"], push["b"]["p"], push["b"]["t"]), ("m", "scores", 1), "what came and what went")
    changes = push["b"]["d"]
    check(sorted(changes), ["ann", "cy"], "both children")
    check(changes["ann"], None, "ann has left")
    check((changes["cy"]["pts"], type(changes["cy"]["at"])), (8, int), "cy has come, with a time")
    await session.answer(4, "ok", "", "the write is durable")
    await session.request(5, "p", {"p": "/ctr", "d": 6, "h": "eVih19a6ZDz3NL32uVBtg9KSgQY="})
    answer = (await session.receive())["d"]
    check((answer["r"], answer["b"]["s"]), (5, "datastale"), "a transaction on another value is refused")
    await session.socket.send("0")
    await session.request(6, "n", {"p": "/scores", "q": query, "t": 1})
    await session.answer(6, "ok", "", "the listen has ended")
    await session.request(7, "p", {"p": "/scores/dee", "d": {"pts": 100}})
    await session.answer(7, "ok", "", "and nothing is pushed any more")
    await session.send({"t": "c", "d": {"t": "p", "d": {}}})
    check(await session.receive(), {"t": "c", "d": {"t": "o", "d": None}}, "a ping is answered")
    await session.socket.close()


async def put_rules(rules):
    import urllib.request
    url = f"http://{host}/.settings/rules.json?ns=interop-{scenario.replace('_', '-')}"
    request = urllib.request.Request(
        url, data=json.dumps(rules).encode(), method="PUT", headers={"Authorization": "Bearer owner"})
    status = await asyncio.to_thread(lambda: urllib.request.urlopen(request).status)
    check(status, 200, "rules are installed")


async def large():
    """5 MB in one message, both ways, in frames of 16384 characters."""
    line = "The quick brown ✓ ümlaut 😀 \"quoted\" \\ and\tcontrol. "
    value = {f"k{n:05}": line * 20 for n in range(5_000_000 // (len(line.encode()) * 20))}
    value["long"] = "x" * 1_000_000
    size = len(json.dumps(value, ensure_ascii=False).encode())
    check(size > 5_000_000, True, f"{size} bytes are sent")
    writer, reader = await Session.open(), await Session.open()
    await reader.request(1, "q", {"p": "/big", "h": ""})
    seen = await reader.receive()
    if "r" not in seen["d"]:
        seen = await reader.receive()
    check(seen["d"], {"r": 1, "b": {"s": "ok", "d": {}}}, "the listen stands")
    await writer.request(1, "p", {"p": "/big", "d": value})
    push = await reader.push("the value")
    check(push["b"]["p"], "big", "its place")
    check(push["b"]["d"] == value, True, "everything has come through")
    check(reader.frames > 300, True, f"in {reader.frames} frames")
    await writer.answer(1, "ok", "", "the write is durable")
    await writer.request(2, "g", {"p": "/big", "q": {}})
    answer = await writer.receive()
    check(answer["d"]["b"]["s"], "ok", "it is read back")
    check(answer["d"]["b"]["d"] == value, True, "and is the same")
    await writer.request(3, "p", {"p": "/big/k00000", "d": None})
    push = await reader.push("the small change after it")
    check(push, {"a": "d", "b": {"p": "big/k00000", "d": None}}, "the small change after it")
    await writer.socket.close()
    await reader.socket.close()


asyncio.run(globals()[scenario]())
print("done", scenario)
