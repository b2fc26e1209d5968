#!/usr/bin/env python3
"""Imports, exports, reads and deletes a large tree, and says what others on the same server notice of it.

usage: bigdata.py BIN_DIR [--megabytes 1000] [--seconds 5] [--folder DIR]
BIN_DIR holds a release build of dhole. The bystander asks for a small value of another database over one connection,
again and again, and writes it every fourth time. Its p99 is compared with the p99 of the same server at rest, and with
that beside a busy loop on each core which has nothing to do with the server: what such a machine makes everybody wait.
Loopback only.
"""
import argparse, base64, http.client, json, os, resource, shutil, socket, statistics, subprocess, sys, tempfile, threading, time

arguments = argparse.ArgumentParser(usage=__doc__)
arguments.add_argument("bin")
arguments.add_argument("--megabytes", type=int, default=1000)
arguments.add_argument("--seconds", type=float, default=5)
arguments.add_argument("--folder")
options = arguments.parse_args()
dhole = os.path.join(options.bin, "dhole")
folder = tempfile.mkdtemp(prefix="dhole-big-", dir=options.folder)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Bystander(threading.Thread):
    """Asks for one value of another database until it is stopped; alternately writes it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.reads, self.writes, self.ended = [], [], False
        self.start()

    def run(self):
        try:
            # What is measured is the server, not how long the machine lets the bystander itself wait for a core.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -10)
        except PermissionError:
            print("the bystander waits for a core like everybody: only root may give it priority")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        turn = 0
        while not self.ended:
            turn += 1
            begun = time.perf_counter()
            isRead = turn % 4 != 0
            if isRead:
                connection.request("GET", "/v.json?ns=bystander")
            else:
                connection.request("PUT", "/v.json?ns=bystander", body=str(turn))
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                sys.exit(f"the bystander got {answer.status}")
            (self.reads if isRead else self.writes).append((time.perf_counter() - begun) * 1000)
            time.sleep(0.002)

    def stop(self):
        self.ended = True
        self.join()
        return [(statistics.median(waits), sorted(waits)[int(len(waits) * 0.99)], max(waits)) for waits in (self.reads, self.writes)]


def run(*command):
    """Wall seconds and peak resident megabytes of a command."""
    begun = time.monotonic()
    process = subprocess.Popen([dhole, *command, "--auth", "owner", "--url", f"http://127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} ended with {status}")
    return time.monotonic() - begun, usage.ru_maxrss / 1024


def listening(path):
    """Listens to a place over a WebSocket until the listen is answered; seconds and bytes."""
    begun, received = time.monotonic(), 0
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.settimeout(120)
        key = base64.b64encode(os.urandom(16)).decode()
        client.sendall((f"GET /.ws?v=5&ns=default HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        text = json.dumps({"t": "d", "d": {"r": 1, "a": "q", "b": {"p": path, "h": ""}}}).encode()
        # A mask of zeros leaves the text as it is.
        client.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
        tail = b""
        while b'"r":1,' not in tail:
            piece = client.recv(1 << 20)
            if not piece:
                sys.exit(f"the listen ended after {received} bytes: {tail[-200:]}")
            received += len(piece)
            tail = (tail + piece)[-4096:]
    return time.monotonic() - begun, received


def memory():
    with open(f"/proc/{server.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def measured(name, work):
    """Prints what a bystander sees meanwhile, in ratios to what it saw before, and returns it."""
    bystander = Bystander()
    note = work() or ""
    seen = bystander.stop()
    told = []
    for place, (what, (middle, late, worst)) in enumerate(zip(("reads", "writes"), seen)):
        ratios = ", ".join(f"{late / before[place][1]:.1f} x {name}" for name, before in baselines.items())
        told.append(f"{what} p50 {middle:.2f} p99 {late:.2f} ms{f' ({ratios})' if ratios else ''} worst {worst:.1f}")
    print(f"{name:20} {'   '.join(told)}   {note}", flush=True)
    return seen


def burning():
    """A busy loop for each core."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count())]
    time.sleep(options.seconds)
    for loop in loops:
        loop.kill()
        loop.wait()


def generate(name):
    """Records as an app has them: 12 nodes and about 230 bytes each."""
    size = count = 0
    with open(name, "w") as file:
        file.write('{"records":{')
        while size < options.megabytes * 1_000_000:
            record = {"author": {"id": f"u{count % 9973}", "name": f"Person {count % 9973}"}, "at": 1700000000000 + count * 37,
                      "title": f"Record number {count}", "tags": {"a": True, "b": count % 2 == 0}, "score": count * 7919 % 100003 / 7,
                      "text": "the quick brown fox jumps over the lazy dog " * (count % 3)}
            text = ("," if count else "") + f'"r{count:09d}":' + json.dumps(record)
            file.write(text)
            size += len(text)
            count += 1
        file.write("}}")
    return count


baselines = {}
port = free_port()
# In memory, if that can be: it would be on another machine's disk.
copy = os.path.join("/dev/shm" if os.access("/dev/shm", os.W_OK) else folder, f"dhole-copy-{port}.json")
server = subprocess.Popen([dhole, "serve", "--dev", "--port", str(port), "--data", os.path.join(folder, "data"), "--log-level", "error"],
                          stdout=subprocess.DEVNULL)
try:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            if server.poll() is not None:
                sys.exit("the server ended")
            time.sleep(0.05)
    source = os.path.join(folder, "source.json")
    records = generate(source)
    size = os.path.getsize(source) / 1e6
    print(f"{size:.0f} MB, {records:,} records of 12 nodes", flush=True)
    calm = measured("at rest", lambda: time.sleep(options.seconds))
    baselines["calm"] = calm
    baselines["busy"] = measured("beside busy loops", burning)

    def importing():
        seconds, peak = run("import", source, "/")
        return f"{size / seconds:.1f} MB/s; importer's peak {peak:.0f} MB, server then {memory():.0f} MB"

    def exporting():
        seconds, peak = run("export", "/", copy)
        return f"{os.path.getsize(copy) / 1e6 / seconds:.1f} MB/s; exporter's peak {peak:.0f} MB"

    measured("import", importing)
    def hearing():
        seconds, count = listening("/records")
        return f"{count / 1e6 / seconds:.1f} MB/s; server then {memory():.0f} MB"

    measured("export", exporting)
    # Nobody but an operator is shown more than 256 MB.
    if size < 250:
        measured("listen to all of it", hearing)
    measured("delete all of it", lambda: f"{run('remove', '/records')[0]:.2f} s")
    measured("the seconds after", lambda: time.sleep(options.seconds) or f"server then {memory():.0f} MB")
finally:
    server.terminate()
    server.wait()
    shutil.rmtree(folder)
    if os.path.exists(copy):
        os.remove(copy)
