"""Polls over bare sockets, as a page does that has no WebSocket, and moves to one.

usage: raw_poll.py HOST:PORT SCENARIO
"""

import asyncio
import base64
import http.client
import json
import re
import sys
import threading
import time

import websockets
from checks import check

host, scenario = sys.argv[1], sys.argv[2]
namespace = f"interop-poll-{scenario}"


def request(query, method="GET", path="/.lp", body=None):
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request(method, f"{path}?{query}&ns={namespace}", body)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, dict(response.getheaders()), text


def rest(method, path, value=None):
    status, _, text = request("", method, path, None if value is None else json.dumps(value))
    check(status, 200, f"{method} {path}")
    return json.loads(text)


class Page:
    """One session, and its answers in the order of their numbers."""

    def __init__(self, last=""):
        status, headers, text = request(f"start=t&ser=1&cb=7&v=5{last}")
        check(status, 200, "a session starts")
        check(headers["content-type"], "text/javascript; charset=utf-8", "with a script")
        self.id, self.password = re.search(r'pLPCommand\("start","(\w+)","(\w+)"\)', text).groups()
        self.serial, self.segment, self.answers, self.next = 500, 0, {}, 0
        hello = self.take(text)[0]
        check(hello["d"]["t"], "h", "the hello comes with it")
        self.name = hello["d"]["d"]["s"]

    def take(self, script):
        for number, messages in re.findall(r"(?s)pRTLPCB\((\d+),(\[.*?\])\);\n", script):
            if int(number) in self.answers:
                raise AssertionError(f"number {number} came twice")
            self.answers[int(number)] = json.loads(messages)
        ready = []
        while self.next in self.answers:
            ready += self.answers[self.next]
            self.next += 1
        return ready

    def query(self, *messages, serial=None):
        if serial is None:
            self.serial += 1
            serial = self.serial
        text = f"id={self.id}&pw={self.password}&ser={serial}"
        index = 0
        for message in messages:
            data = base64.urlsafe_b64encode(json.dumps(message).encode()).decode().replace("=", ".")
            pieces = [data[i:i + 1840] for i in range(0, len(data), 1840)]
            for piece in pieces:
                text += f"&seg{index}={self.segment}&ts{index}={len(pieces)}&d{index}={piece}"
                index += 1
                self.segment += 1
        return text

    def poll(self, *messages):
        return self.take(request(self.query(*messages))[2])

    def hold(self, *messages):
        """A poll that waits in another thread."""
        return Held(self.query(*messages))


class Held(threading.Thread):
    def __init__(self, query, head_start=0.3):
        super().__init__(daemon=True)
        self.query, self.answer = query, None
        self.start()
        time.sleep(head_start)

    def run(self):
        self.answer = request(self.query)[2]

    def script(self):
        self.join(30)
        check(self.is_alive(), False, "the held poll is answered")
        return self.answer


def put(number, path, value):
    return {"t": "d", "d": {"r": number, "a": "p", "b": {"p": path, "d": value}}}


def ok(number, value=""):
    return {"t": "d", "d": {"r": number, "b": {"s": "ok", "d": value}}}


def push(path, value):
    return {"t": "d", "d": {"a": "d", "b": {"p": path, "d": value}}}


def session():
    page = Page()
    listen = {"t": "d", "d": {"r": 1, "a": "q", "b": {"p": "/a", "h": ""}}}
    check(page.poll(listen), [ok(1, {})], "a request in a poll is answered in it")
    held = page.hold()
    check(held.answer, None, "an idle poll is held")
    rest("PUT", "/a.json", "né\u2028 </script>")
    script = held.script()
    check("\u2028" in script, False, "a line separator is escaped")
    check(page.take(script), [push("a", "né\u2028 </script>")], "a push ends the wait")

    held = page.hold()
    check(page.poll(put(2, "/b", 1)), [], "an answer behind another waits for it")
    check(page.take(held.script()), [ok(2)], "the second poll has released the first")

    # A poll whose connection is lost leaves its number to the next.
    lost = http.client.HTTPConnection(host, timeout=60)
    lost.request("GET", "/.lp?" + page.query())
    time.sleep(0.3)
    lost.close()
    time.sleep(0.3)
    rest("PUT", "/a.json", 1)
    check(page.poll(), [push("a", 1)], "nothing is lost with a connection")

    query = page.query(put(3, "/n", {".sv": {"increment": 1}}))
    first, again = request(query)[2], request(query)[2]
    check(first, again, "a repeated poll has the same answer")
    check(page.take(first), [ok(3)], "the answer is there")
    check(rest("GET", "/n.json"), 1, "and its message counts once")

    big = "x" * 30_000
    message = put(4, "/big", big)
    data = base64.urlsafe_b64encode(json.dumps(message).encode()).decode().replace("=", ".")
    pieces = [data[i:i + 1840] for i in range(0, len(data), 1840)]
    answers, held = [], None
    for piece in pieces:
        query = page.query() + f"&seg0={page.segment}&ts0={len(pieces)}&d0={piece}"
        page.segment += 1
        next_held = Held(query, 0.05)
        if held:
            answers += page.take(held.script())
        held = next_held
    check(answers, [], "pieces of a message have no answer")
    check(page.take(held.script()), [ok(4)], "the message has")
    check(rest("GET", "/big.json"), big, "and came whole")

    _, _, stranger = request(f"id={page.id}&pw=wrong&ser=1")
    check("close" in stranger and "pRTLPCB" not in stranger, True, "a wrong password opens nothing")
    check(request("start=t&cb=alert(1)")[0], 400, "a callback that is no number is refused")
    check(request("start=t&cb=1", "POST")[0], 405, "and so is another method")
    frame = request(f"dframe=t&id={page.id}&pw={page.password}")
    check(frame[1]["content-type"], "text/html; charset=utf-8", "the frame that tells of leaving is a page")

    other = Page()
    leave = {"t": "d", "d": {"r": 1, "a": "o", "b": {"p": "/gone", "d": True}}}
    check(other.poll(leave), [ok(1)], "something is left for the end")
    request(f"disconn=t&id={other.id}&pw={other.password}")
    time.sleep(0.5)
    check(rest("GET", "/gone.json"), True, "and done when the page leaves")


async def moving():
    page = Page()
    control = lambda kind: {"t": "c", "d": {"t": kind, "d": {}}}
    check(page.poll({"t": "d", "d": {"r": 1, "a": "q", "b": {"p": "/a", "h": ""}}}), [ok(1, {})], "a listen")
    socket = await websockets.connect(f"ws://{host}/.ws?v=5&s={page.name}&ns={namespace}", compression=None)
    receive = lambda: asyncio.wait_for(socket.recv(), 20)
    send = lambda message: socket.send(json.dumps(message))
    check(json.loads(await receive()), control("a"), "the socket is ready, and greets not")
    await send(control("p"))
    check(json.loads(await receive())["d"]["t"], "o", "it answers")
    await send(control("a"))
    await send(put(3, "/a", 3))
    last = page.poll(put(2, "/a", 2), control("n"))
    check(last[-1], control("n"), "the last answer to a poll says so")
    got = last[:-1]
    while len(got) < 4:
        got.append(json.loads(await receive()))
    check([m for m in got if "a" in m["d"]], [push("a", 2), push("a", 3)], "pushes in order")
    check([m for m in got if "r" in m["d"]], [ok(2), ok(3)], "answers in order")
    request(f"disconn=t&id={page.id}&pw={page.password}")
    await send(put(4, "/a", "y" * 40_000))
    frames = [await receive() for _ in range(4)]
    check(frames[0], "3", "a long push comes in chunks")
    check(json.loads("".join(frames[1:])), push("a", "y" * 40_000), "and is whole")
    check(json.loads(await receive()), ok(4), "the session lives on")
    await socket.close()


if scenario == "session":
    session()
else:
    asyncio.run(moving())
print("done", scenario)
