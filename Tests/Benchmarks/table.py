#!/usr/bin/env python3
"""Measures Dhole beside its yardsticks on this machine and prints a table of ratios.

Server on core 0, load on core 1, loopback only. Each row: both sides in turn, ROUNDS times; the figure is the median of
the rounds' ratios, per CPU second of the server where the row says so, with the lowest and highest in brackets.

usage: table.py BIN_DIR [--rounds 5] [--seconds 2] [--only NAME,...] [--json FILE]
BIN_DIR holds dhole, LoadGenerator, Yardstick and Microbench (release builds).
"""
import argparse, json, os, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

arguments = argparse.ArgumentParser(usage=__doc__)
arguments.add_argument("bin")
arguments.add_argument("--rounds", type=int, default=5)
arguments.add_argument("--seconds", type=float, default=2.0)
arguments.add_argument("--only", default="")
arguments.add_argument("--json")
options = arguments.parse_args()
rows, started = [], []


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process on core 0 that listens on a port of its own."""

    def __init__(self, command, folder=None, output=subprocess.DEVNULL):
        self.port = free_port()
        self.folder = folder
        command = [part.format(port=self.port, folder=folder) for part in command]
        self.started = time.monotonic()
        self.process = subprocess.Popen(["taskset", "-c", "0"] + command, stdout=output, stderr=subprocess.PIPE)
        started.append(self)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{command[0]} ended: {self.process.stderr.read().decode()}")
                if time.monotonic() - self.started > 60:
                    sys.exit(f"{command[0]} does not listen on port {self.port}")
                time.sleep(0.005)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        started.remove(self)


def dhole(*more, folder=None):
    folder = folder or tempfile.mkdtemp(prefix="dhole-bench-")
    return Server([f"{options.bin}/dhole", "serve", "--dev", "--port", "{port}", "--data", "{folder}", "--threads", "1",
                   "--log-level", "warning", *more], folder)


def yardstick(mode):
    return Server([f"{options.bin}/Yardstick", mode, "{port}"])


def load(server, dialect, mode, *more):
    command = ["taskset", "-c", "1", f"{options.bin}/LoadGenerator", "--mode", mode, "--dialect", dialect, "--port",
               str(server.port), "--pid", str(server.process.pid), "--seconds", str(options.seconds), *map(str, more)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=180)
    if run.returncode:
        sys.exit(f"{' '.join(command)}\n{run.stderr}")
    return json.loads(run.stdout)


def wanted(name):
    return not options.only or name in options.only.split(",")


def row(name, what, ratios, must, note=""):
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    rows.append({"name": name, "what": what, "ratio": middle, "low": low, "high": high, "must": must, "note": note})
    print(f"{name:14} {middle:8.2f} [{low:.2f}..{high:.2f}]  must be {must:10}  {what}  {note}", flush=True)


def duel(name, what, must, ours, theirs, key="per_server_cpu_second"):
    """ours and theirs: (server, dialect, mode, arguments…)"""
    ratios, last = [], None
    for _ in range(options.rounds):
        mine, other = load(*ours), load(*theirs)
        ratios.append(mine[key] / other[key])
        last = f"(last round {mine[key]:,} to {other[key]:,}; p50/p99 {mine['p50_us']}/{mine['p99_us']} us)"
    row(name, what, ratios, must, last)


def fan_out():
    mine, other = dhole(), yardstick("direct")
    for count in (1000, 10000):
        if wanted(f"fanout-{count}"):
            duel(f"fanout-{count}", f"one write at a time to {count:,} listeners, to the yardstick's direct send", ">= 0.85",
                 (mine, "firebase", "fanout", "--conns", count, "--warmup", 1), (other, "plain", "fanout", "--conns", count, "--warmup", 1))
    if wanted("burst-16"):
        duel("burst-16", "bursts of 16 writes to 1,000 listeners", ">= 0.6",
             (mine, "firebase", "fanout", "--conns", 1000, "--window", 16, "--burst"),
             (other, "plain", "fanout", "--conns", 1000, "--window", 16, "--burst"))
    if wanted("routing"):
        duel("routing", "1,000 listeners on 1,000 paths, to the yardstick's echo", ">= 0.6",
             (mine, "firebase", "listen", "--conns", 1000, "--window", 32),
             (other, "plain", "echo", "--conns", 1000, "--window", 32))
    mine.stop(), other.stop()


def rest():
    mine, other = dhole(), yardstick("http")
    put = subprocess.run(["curl", "-sS", "-X", "PUT", "-d", '{"name":"hello","value":12345,"ok":true}',
                          f"http://127.0.0.1:{mine.port}/bench.json?ns=bench"], capture_output=True, text=True)
    if "hello" not in put.stdout:
        sys.exit(f"the value could not be written: {put.stdout} {put.stderr}")
    duel("rest-get", "REST GET of a small value, 50 connections, to NIOHTTP1 alone", ">= 0.6",
         (mine, "http", "get", "--conns", 50, "--window", 50), (other, "http", "get", "--conns", 50, "--window", 50))
    mine.stop(), other.stop()


def authenticated():
    """A locked server: GETs of what everybody may read, with a user's token and without."""
    folder = tempfile.mkdtemp(prefix="dhole-bench-")
    with open(os.path.join(folder, "said"), "w") as said:
        mine = Server([f"{options.bin}/dhole", "serve", "--port", "{port}", "--data", "{folder}", "--threads", "1", "--sign-in", "anonymous",
                       "--log-level", "warning"], folder, said)
    address = f"http://127.0.0.1:{mine.port}"
    secret = None
    while not secret:
        with open(os.path.join(folder, "said")) as said:
            secret = next((line.split()[-1] for line in said if line.startswith("admin secret")), None)

    def ask(method, path, body):
        call = subprocess.run(["curl", "-sS", "-f", "-X", method, "-H", f"Authorization: Bearer {secret}", "--data-binary", body, address + path],
                              capture_output=True, text=True)
        if call.returncode:
            sys.exit(f"{path}: {call.stderr}")
        return json.loads(call.stdout)

    ask("PUT", "/.admin/databases/bench.json", "{}")
    ask("PUT", "/.settings/rules.json?ns=bench", '{"rules":{".read":true}}')
    ask("PUT", "/bench.json?ns=bench", '{"name":"hello","value":12345,"ok":true}')
    token = ask("POST", "/identitytoolkit.googleapis.com/v1/accounts:signUp?key=bench", "{}")["idToken"]
    duel("auth-get", f"REST GET with a user's token of {len(token)} bytes, verified before, to none", ">= 0.9",
         (mine, "http", "get", "--conns", 50, "--window", 50, "--auth", token), (mine, "http", "get", "--conns", 50, "--window", 50))
    mine.stop()


def durable():
    if not shutil.which("redis-server"):
        sys.exit("redis-server is missing: apt-get install redis-server")
    mine = dhole()
    folder = tempfile.mkdtemp(prefix="redis-bench-")
    other = Server(["redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes",
                    "--appendfsync", "always", "--save", ""])
    duel("put-50", "durable puts, 50 writers, wall rate to Redis appendfsync always", ">= 0.7",
         (mine, "firebase", "put", "--conns", 50, "--window", 50), (other, "redis", "put", "--conns", 50, "--window", 50), "per_second")
    mine.stop(), other.stop()


def single_writer():
    differences, ratios = [], []
    for _ in range(options.rounds):
        mine = dhole()
        ours = load(mine, "firebase", "put", "--conns", 1, "--window", 1)["p50_us"]
        bare = micro("sync", mine.folder)["p50_us"]
        mine.stop()
        ratios.append((ours - 200) / bare)
        differences.append(f"{ours}/{bare}")
    row("put-1", "one durable writer's p50 less 0.2 ms, to append + fdatasync of the same bytes", ratios, "<= 1.3",
        "(us: " + ", ".join(differences) + ")")


RULES = """{"rules": {"bench": {"$writer": {
  ".write": "root.child('members').child($writer).child('since').exists() && newData.isString() && newData.val().length < 500",
  ".validate": "newData.val().beginsWith('#')"}}}}"""


def full():
    """Puts all over a tree of 1,000,000 nodes, and of 1,000: CPU of the server for each."""
    servers = []
    for users in (250, 250_000):
        server = dhole()
        tree = {f"user{n}": {"age": n % 90, "name": f"Person {n}", "online": n % 3 == 0, "score": n * 37 % 10_007} for n in range(users)}
        subprocess.run(["curl", "-sS", "-f", "-X", "PUT", "--data-binary", "@-", f"http://127.0.0.1:{server.port}/users.json?ns=bench&print=silent"],
                       input=json.dumps(tree), text=True, check=True, timeout=120)
        servers.append((server, "firebase", "put", "--conns", 50, "--window", 50, "--users", users))
    few, many = servers
    duel("put-nodes", "server CPU of a durable put, 50 writers, anywhere among 1,000,000 nodes, to 1,000 nodes", "<= 1.2", few, many)
    few[0].stop(), many[0].stop()


def guarded():
    open_server, guarded_server = dhole(), dhole()
    members = json.dumps({str(index): {"since": 1700000000000} for index in range(10_000)})
    for path, body in ((".settings/rules", RULES), ("members", members)):
        put = subprocess.run(["curl", "-sS", "-f", "-X", "PUT", "-H", "Authorization: Bearer owner", "--data-binary", "@-", "-o", "/dev/null",
                              f"http://127.0.0.1:{guarded_server.port}/{path}.json?ns=bench"], input=body, capture_output=True, text=True)
        if put.returncode:
            sys.exit(f"{path} could not be put: {put.stderr}")
    duel("rules-wire", "durable puts of 50 writers under rules that look in the tree and at the value, to open rules", ">= 0.75",
         (guarded_server, "firebase", "put", "--conns", 50, "--window", 50), (open_server, "firebase", "put", "--conns", 50, "--window", 50))
    open_server.stop(), guarded_server.stop()


def micro(name, *more):
    run = subprocess.run(["taskset", "-c", "0", f"{options.bin}/Microbench", name, *more], capture_output=True, text=True, timeout=600)
    if run.returncode:
        sys.exit(f"Microbench {name}: {run.stderr}{run.stdout}")
    return json.loads(run.stdout.splitlines()[-1])


def micro_rows():
    for name, what, must in [
        ("log", "journal rows/s in batches of 100, FULL, to a bare SQLite journal table", ">= 0.5"),
        ("parse", "JSON to Node, to JSONSerialization", ">= 5"),
        ("write", "Node to JSON, to JSONSerialization", ">= 5"),
        ("engine-nodes", "CPU of that put in the engine alone, without socket, wire and disk", "<= 1.2"),
        ("put-listens", "CPU of a put with 100,000 listens elsewhere, to none", "<= 1.2"),
        ("window", "CPU us of a change in the window of limitToLast(50) on 1,000,000 children", "<= 100 us"),
        ("first-window", "CPU ms of that query's first answer", "<= 2 ms"),
        ("rules", "millions of rule decisions a second, three lookups in a tree of 100,000 nodes", ">= 1"),
        ("pattern", "ms for a pattern that makes other engines backtrack, on 100,000 characters", "<= 10 ms"),
    ]:
        if wanted(name):
            results = [micro(name, tempfile.gettempdir()) for _ in range(options.rounds)]
            row(name, what, [result["ratio"] for result in results], must, results[-1].get("note", ""))


def idle():
    values = []
    for _ in range(min(3, options.rounds)):
        mine = dhole()
        values.append(load(mine, "firebase", "idle", "--conns", 19000)["bytes_per_connection"] / 1024)
        mine.stop()
    row("idle", "KB of server memory per idle session with one listen, 19,000 of them", values, "<= 5 KB")


def start():
    folder = tempfile.mkdtemp(prefix="dhole-bench-start-")
    source = os.path.join(folder, "million.json")
    with open(source, "w") as file:
        users = 250_000
        file.write("{" + ",".join(
            f'"user{n:06}":{{"age":{n % 90},"name":"Person {n}","online":{"true" if n % 3 else "false"},"score":{n * 37 % 10007}}}'
            for n in range(users)) + "}")
    mine = dhole(folder=folder + "/data")
    resident = lambda server: int(open(f"/proc/{server.process.pid}/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
    subprocess.run(["curl", "-sS", "-o", "/dev/null", "-X", "PUT", "-T", source,
                    f"http://127.0.0.1:{mine.port}/.json?ns=bench&print=silent"], check=True, timeout=300)
    mine.stop()
    seconds, memory = [], 0
    for _ in range(min(3, options.rounds)):
        mine = dhole(folder=folder + "/data")
        read = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{mine.port}/user000007/name.json?ns=bench"],
                              capture_output=True, text=True, timeout=60)
        seconds.append(time.monotonic() - mine.started)
        if read.stdout != '"Person 7"':
            sys.exit(f"first read after the start: {read.stdout} {read.stderr}")
        memory = resident(mine) / (4 * users)
        mine.stop()
    row("start", "seconds from start to the first read with 1,000,000 leaves stored", seconds, "<= 3 s", f"({memory:.0f} bytes of memory a leaf)")
    shutil.rmtree(folder)


try:
    if any(map(wanted, ("fanout-1000", "fanout-10000", "burst-16", "routing"))):
        fan_out()
    if wanted("rest-get"):
        rest()
    if wanted("auth-get"):
        authenticated()
    if wanted("put-50"):
        durable()
    if wanted("put-1"):
        single_writer()
    if wanted("put-nodes"):
        full()
    if wanted("rules-wire"):
        guarded()
    if wanted("idle"):
        idle()
    if wanted("start"):
        start()
    micro_rows()
finally:
    for server in list(started):
        server.stop()
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)
