"""Speaks HTTP over bare sockets: requests that no client sends, answers that are large, peers that are slow.

usage: raw_http.py HOST:PORT SCENARIO
"""

import json
import random
import socket
import sys
import time
from checks import check

host, scenario = sys.argv[1], sys.argv[2]
name, port = host.split(":")


class Connection:
    def __init__(self):
        self.socket = socket.create_connection((name, int(port)), timeout=30)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def line(self):
        while b"\r\n" not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(self.buffer)
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode()

    def exactly(self, count):
        pieces, have = [self.buffer], len(self.buffer)
        while have < count:
            piece = self.socket.recv(min(count - have, 1 << 20))
            if not piece:
                raise EOFError(have)
            pieces.append(piece)
            have += len(piece)
        data = b"".join(pieces)
        self.buffer = data[count:]
        return data[:count]

    def head(self):
        status = int(self.line().split(" ")[1])
        headers = {}
        while line := self.line():
            key, _, value = line.partition(":")
            headers[key.lower()] = value.strip()
        return status, headers

    def answer(self, is_head=False):
        status, headers = self.head()
        if is_head or status in (204, 304):
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while count := int(self.line(), 16):
                body += self.exactly(count + 2)[:-2]
            self.line()
            return status, headers, body
        return status, headers, self.exactly(int(headers["content-length"]))

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def exchange(text, is_head=False):
    return Connection().send(text).answer(is_head)


def request(method, path, body=b"", headers=""):
    body = body.encode() if isinstance(body, str) else body
    length = f"content-length: {len(body)}\r\n" if body or method in ("PUT", "POST", "PATCH") else ""
    return f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}{length}\r\n".encode() + body


def hostile():
    put = lambda path, body: exchange(request("PUT", path, body))
    check(put("/a.json", '{"b":1}')[0], 200, "a good request")
    for body in ["1e400", "-1e400", "[" * 200_000, '{"a":' * 200_000, "\xff", '"\\ud800"', "{", "nul", "1" * 5000 + "x",
                 '{"a":1,}', "\0", '"\t"', "01", "+1", ".5", "1.", "'a'", '{"a"}', "[1 2]"]:
        status, _, answer = put("/a.json", body.encode("latin-1"))
        check((status, json.loads(answer)), (400, {"error": "Invalid data; couldn't parse JSON object, array, or value."}),
              f"body {body[:12]!r}")
    check(put("/n.json", "1" * 5000)[0], 400, "a number without end")
    check(put("/n.json", "0." + "3" * 5000)[0], 200, "a fraction of many digits")
    check(put("/n.json", "1e-400")[2], b"0", "a number that is nothing")
    for path in ["/%.json", "/%zz.json", "/a%2Fb.json", "/%ff%fe.json", "/a\x7f.json", "/a//..//b.json", "/a%00.json"]:
        status, _, answer = exchange(request("GET", path))
        check(status, 400, f"path {path!r}")
    check(exchange(request("GET", "/a.json?" + "&".join(f"x{n}=1" for n in range(5000))))[0], 200, "5000 parameters")
    check(exchange(request("GET", "/" + "a/" * 33 + ".json"))[0], 400, "a path that is too deep")
    check(exchange(request("GET", "/" + "k" * 769 + ".json"))[0], 400, "a key that is too long")
    check(exchange(request("GET", "/" + "k" * 100_000 + ".json"))[0] in (414, 431), True, "a head that is too long")
    for head in ["content-length: -1", "content-length: 1e3", "content-length: 99999999999999999999", "content-length: ",
                 "content-length: 5\r\ncontent-length: 6", "content-length: 5\r\ntransfer-encoding: chunked",
                 "transfer-encoding: gzip", "transfer-encoding: chunked, gzip", "content-length : 5", "bad header"]:
        connection = Connection().send(f"PUT /a.json HTTP/1.1\r\nhost: {host}\r\n{head}\r\n\r\n1")
        status, _, _ = connection.answer()
        check(status >= 400, True, f"{head!r} is refused with {status}")
        check(connection.is_closed(), True, "and the connection ends")
    status, _, _ = Connection().send(f"PUT /a.json HTTP/1.1\r\nhost: {host}\r\ncontent-length: 400000000\r\n\r\n").answer()
    check(status, 413, "a body that would be too large")
    connection = Connection().send(
        f"PUT /c.json HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")
    check(connection.answer()[2], b"[1,2]", "a body in chunks")
    connection = Connection().send(b"".join(request("GET", "/a/b.json") for _ in range(20)))
    check([connection.answer()[2] for _ in range(20)], [b"1"] * 20, "twenty requests in one packet")
    connection = Connection().send(request("HEAD", "/a.json") + request("GET", "/a/b.json"))
    check(connection.answer(is_head=True)[::2], (200, b""), "a head")
    check(connection.answer()[2], b"1", "and a get after it")
    check(exchange(request("GET", "/a.json", headers="if-none-match: x\r\n"))[0], 200, "a tag that is none")
    random.seed(7)
    for _ in range(300):
        connection = Connection().send(bytes(random.randrange(256) for _ in range(random.randrange(1, 200))) + b"\r\n\r\n")
        connection.socket.close()
    check(exchange(request("GET", "/a.json"))[2], b'{"b":1}', "and the data is as it was")


def large():
    """A value of 10 MB, read whole, read slowly, and let go of in the middle."""
    value = {f"k{n:06}": {"text": "v" * 80, "n": n} for n in range(100_000)}
    body = json.dumps(value, separators=(",", ":")).encode()
    check(len(body) > 10_000_000, True, f"{len(body)} bytes are written")
    check(exchange(request("PUT", "/large/big.json?print=silent", body))[0], 204, "written")
    status, headers, answer = exchange(request("GET", "/large/big.json"))
    check((status, json.loads(answer) == value), (200, True), "read back")
    slow = Connection().send(request("GET", "/large/big.json"))
    gone = Connection().send(request("GET", "/large/big.json"))
    gone.exactly(100_000)
    gone.socket.close()
    started = time.monotonic()
    check(exchange(request("GET", "/large/big/k000007/n.json"))[2], b"7", "a small read meanwhile")
    check(time.monotonic() - started < 5, True, "is not held up")
    check(exchange(request("DELETE", "/large/big.json"))[0], 200, "deleted meanwhile")
    time.sleep(0.5)
    check(json.loads(slow.answer()[2]) == value, True, "the slow reader gets what was there when it asked")
    keys = json.loads(exchange(request("GET", "/large.json?shallow=true"))[2])
    check(keys, None, "nothing is left")


def stream():
    connection = Connection().send(request("GET", "/s.json", headers="accept: text/event-stream\r\n"))
    status, headers = connection.head()
    check((status, headers["content-type"]), (200, "text/event-stream; charset=utf-8"), "the head of a stream")

    def event():
        count = int(connection.line(), 16)
        return connection.exactly(count + 2)[:-2].decode()

    check(event(), 'event: put\ndata: {"path":"/","data":null}\n\n', "the first event")
    body = json.dumps("x" * 3_000_000)
    check(exchange(request("PUT", "/s/a.json?print=silent", body))[0], 204, "a large write")
    check(event() == f'event: put\ndata: {{"path":"/a","data":{body}}}\n\n', True, "comes whole")
    writer = Connection()
    for n in range(500):
        writer.send(request("PUT", "/s/n.json?print=silent", str(n)))
        check(writer.answer()[0], 204, f"write {n}")
    expected = "".join(f'event: put\ndata: {{"path":"/n","data":{n}}}\n\n' for n in range(500))
    seen = ""
    while len(seen) < len(expected):
        seen += event()
    check(seen == expected, True, "500 changes in order")
    many = [Connection().send(request("GET", "/s/n.json", headers="accept: text/event-stream\r\n")) for _ in range(200)]
    for reader in many:
        reader.head()
        reader.exactly(int(reader.line(), 16) + 2)
    writer.send(request("PUT", "/s/n.json", '"last"'))
    writer.answer()
    texts = {reader.exactly(int(reader.line(), 16) + 2)[:-2].decode() for reader in many}
    check(texts, {'event: put\ndata: {"path":"/","data":"last"}\n\n'}, "200 streams see a change")


globals()[scenario]()
print("done", scenario)
