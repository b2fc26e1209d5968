// Runs the guide for apps that come from Wilddog: its commands, its code, and an app on a stand-in for the SDK that was
// written from the description of the SDK's protocol.
//
// usage: node wilddog_app.js HOST:PORT GUIDE DHOLE
// Prints what it has checked; ends with status 0 only if everything was as it must be.
"use strict";

const assert = require("node:assert");
const { execFileSync, spawnSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const vm = require("node:vm");

const [host, guidePath, dhole] = process.argv.slice(2);
const guide = fs.readFileSync(guidePath, "utf8");

function check(got, expected, what) {
  assert.deepStrictEqual(got, expected, what);
  console.log("ok", what);
}

function blocks(language) {
  return [...guide.matchAll(new RegExp("```" + language + "\\n([^]*?)```", "g"))].map((match) => match[1]);
}

// MARK: wx, as the platform documents it: one socket at a time, handlers that are set anew for each

class PlainSocket {
  constructor(url, handlers) {
    const { hostname, port, pathname, search, protocol } = new URL(url);
    assert.strictEqual(protocol, "ws:", `${url} is not where the test's server is`);
    this.handlers = handlers;
    this.unread = Buffer.alloc(0);
    this.isOpen = false;
    this.socket = net.connect(Number(port), hostname, () => {
      const key = crypto.randomBytes(16).toString("base64");
      this.socket.write(
        `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`);
    });
    this.socket.on("data", (data) => this.take(data));
    this.socket.on("error", () => {});
    this.socket.on("close", () => handlers.close({}));
  }

  take(data) {
    this.unread = Buffer.concat([this.unread, data]);
    if (!this.isOpen) {
      const end = this.unread.indexOf("\r\n\r\n");
      if (end < 0) return;
      assert.match(this.unread.toString("latin1"), /^HTTP\/1.1 101 /);
      this.unread = this.unread.subarray(end + 4);
      this.isOpen = true;
      this.handlers.open({});
    }
    while (this.unread.length >= 2) {
      let count = this.unread[1];
      let start = 2;
      if (count === 126) [count, start] = [this.unread.length < 4 ? Infinity : this.unread.readUInt16BE(2), 4];
      else if (count === 127) [count, start] = [this.unread.length < 10 ? Infinity : Number(this.unread.readBigUInt64BE(2)), 10];
      if (this.unread.length < start + count) return;
      const payload = this.unread.subarray(start, start + count);
      const opcode = this.unread[0] & 15;
      this.unread = this.unread.subarray(start + count);
      if (opcode === 1) this.handlers.message({ data: payload.toString("utf8") });
      else if (opcode === 8) this.socket.end();
    }
  }

  send(text) {
    const payload = Buffer.from(text);
    assert(payload.length < 65536);
    const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
    head[0] = 0x81;
    head[1] = 0x80 | (payload.length < 126 ? payload.length : 126);
    if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
    this.socket.write(Buffer.concat([head, Buffer.alloc(4), payload]));
  }
}

const handlers = {};
const dialled = [];
let current = null;
const wx = {
  connectSocket({ url }) {
    dialled.push(url);
    const own = {};
    current = new PlainSocket(url, {
      open: (event) => own.open(event), message: (event) => own.message(event), close: (event) => own.close(event) });
    queueMicrotask(() => Object.assign(own, handlers));
  },
  onSocketOpen: (handler) => { handlers.open = handler; },
  onSocketMessage: (handler) => { handlers.message = handler; },
  onSocketClose: (handler) => { handlers.close = handler; },
  sendSocketMessage: ({ data }) => current.send(data),
  closeSocket: () => current.socket.destroy(),
};

// MARK: What the SDK does on the socket

class App {
  constructor(name) {
    this.name = name;
    this.number = 0;
    this.listens = new Map();
    this.pending = new Map();
    this.controls = [];
    this.opens = 0;
    this.isOnline = true;
    this.waiters = [];
  }

  connect() {
    this.isConnected = false;
    wx.connectSocket({
      url: `wss://s-dalwx-nss-1.wilddogio.com/.ws/?v=1.0&cv=2.5.17&ns=${this.name}` +
        "&did=4f7b70uunrv24vtaalne0ma17beq2rmn&EIO=3&transport=websocket",
      header: { "content-type": "application/json" }, method: "GET" });
    const timer = setTimeout(() => assert.fail("no open packet within three seconds"), 3000);
    wx.onSocketOpen(() => {});
    wx.onSocketMessage(({ data }) => this.take(data, timer));
    wx.onSocketClose(() => {
      this.isConnected = false;
      if (this.isOnline) this.connect();
      this.notice();
    });
  }

  take(text, timer) {
    switch (text[0]) {
      case "0": {
        const open = JSON.parse(text.slice(1));
        assert(Array.isArray(open.upgrades) && open.pingInterval > 0 && open.pingTimeout > 0, text);
        clearTimeout(timer);
        wx.sendSocketMessage({ data: "2" });
        break;
      }
      case "3": this.pongs = (this.pongs ?? 0) + 1; break;
      case "4": if (text[1] === "2") this.hear(JSON.parse(text.slice(2))); break;
      default: assert.fail(`the SDK would give up at ${text}`);
    }
    this.notice();
  }

  hear([event, { t, d }]) {
    assert.strictEqual(event, "wd");
    if (t === "c") {
      this.controls.push(d);
      if (d.t === "h") this.greeted();
      if (d.t === "s") this.isOnline = false;
      return;
    }
    assert(!("error" in d));
    if ("r" in d) {
      const request = this.pending.get(d.r);
      this.pending.delete(d.r);
      request?.done(d.b);
      return;
    }
    // Printed by the SDK, for developers.
    if (d.a === "sd") return;
    assert(["d", "m", "c", "ac"].includes(d.a), `the SDK does not know ${d.a}`);
    for (const [place, listen] of this.listens) {
      const pushed = "/" + d.b.p.replace(/^\//, "");
      if (pushed === place) listen.value = d.a === "m" ? { ...listen.value, ...d.b.d } : d.b.d;
      else if (pushed.startsWith(place + "/")) {
        listen.value = { ...listen.value, [pushed.slice(place.length + 1)]: d.b.d };
      }
      listen.events.push(d);
    }
  }

  greeted() {
    this.opens += 1;
    this.isConnected = true;
    this.request("s", { c: { "sdk.js.2-5-17": 1, did: "4f7b70uunrv24vtaalne0ma17beq2rmn" } });
    for (const place of this.listens.keys()) this.request("q", { p: place, h: "" });
    const unfinished = [...this.pending.values()].filter(({ a }) => a === "p" || a === "m").filter(({ sent }) => sent < this.opens);
    this.pending = new Map([...this.pending].filter(([, { sent }]) => sent === this.opens));
    for (const { a, b, done } of unfinished) this.request(a, b, done);
  }

  request(a, b, done = () => {}) {
    const r = (this.number += 1);
    this.pending.set(r, { a, b, done, sent: this.isConnected ? this.opens : -1 });
    if (this.isConnected) wx.sendSocketMessage({ data: "42" + JSON.stringify(["wd", { t: "d", d: { r, a, b } }]) });
  }

  ask(a, b) { return new Promise((done) => this.request(a, b, done)); }

  on(place) {
    this.listens.set(place, { value: null, events: [] });
    return this.ask("q", { p: place, h: "" });
  }

  notice() { for (const waiter of this.waiters) waiter(); }

  until(condition, what) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`never: ${what}`)), 20000);
      const waiter = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.waiters = this.waiters.filter((other) => other !== waiter);
        console.log("ok", what);
        done();
      };
      this.waiters.push(waiter);
      waiter();
    });
  }
}

function runCommands() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "wilddog-"));
  fs.writeFileSync(path.join(folder, "rules.json"), blocks("json")[0]);
  fs.writeFileSync(
    path.join(folder, "backup.json"), '{"rooms":{"a":{".value":"hello",".priority":3},"b":{"name":"Ann"}}}');
  const script = blocks("sh").join("\n").replaceAll("https://db.example.com", `http://${host}`);
  fs.writeFileSync(
    path.join(folder, "old.json"),
    `{"rules":{"a":{".validate":"newData.val().length() > 1"},"b":{".validate":"newData.val().startsWith('x')"}}}`);
  const found = spawnSync(dhole, ["rules", "check", path.join(folder, "old.json")], { encoding: "utf8" });
  const places = [...(found.stdout + found.stderr).matchAll(/old\.json:1:(\d+)/g)].map((match) => Number(match[1]));
  check([found.status === 0, places.length], [false, 2], "both spellings of Wilddog's are found");
  const output = execFileSync("bash", ["-euc", script], {
    cwd: folder, encoding: "utf8",
    env: { ...process.env, PATH: `${path.dirname(dhole)}:${process.env.PATH}`, DHOLE_AUTH: "owner" } });
  fs.rmSync(folder, { recursive: true });
  check(output.includes("in force"), true, "the rules are in force");
  check(JSON.parse(output.trim().split("\n").at(-1)), { a: "hello", b: { name: "Ann" } }, "the guide's commands");
}

async function main() {
  runCommands();

  const wrap = blocks("js").find((code) => code.includes("connectSocket"));
  vm.runInNewContext(wrap.replaceAll("wss://db.example.com", `ws://${host}`), { wx });
  let authHost = null;
  vm.runInNewContext(blocks("js").find((code) => code.includes("setAuthenticationServer")), {
    wilddog: { sync: () => ({ INTERNAL: { setAuthenticationServer: (url) => { authHost = url; } } }) } });
  check(authHost, "https://db.example.com", "the auth host is set");

  const app = new App("myapp");
  app.connect();
  await app.until(() => app.opens === 1, "the wrap leads to the server");
  check(dialled.length, 1, "by one dial");
  check(dialled[0].startsWith(`ws://${host}/.ws/?v=1.0&cv=2.5.17&ns=myapp&did=`), true, "with the SDK's query");
  check(app.controls[0].d.v, "1.0", "the version that the SDK expects");
  await app.until(() => app.pongs === 1, "a pong");

  check((await app.on("/rooms")).s, "ok", "a listen");
  check(app.listens.get("/rooms").value, { a: { ".value": "hello", ".priority": 3 }, b: { name: "Ann" } }, "shows what was imported");
  let toldFirst = false;
  const put = await new Promise((done) => app.request("p", { p: "/rooms/c", d: 1 }, (reply) => {
    toldFirst = app.listens.get("/rooms").value.c === 1;
    done(reply);
  }));
  check([put, toldFirst], [{ s: "ok", d: "" }, true], "a change is told before its acknowledgement");
  check((await app.ask("p", { p: "/rooms/c", d: 2, h: "" })).c, 26201, "a transaction that collides");
  check((await app.ask("p", { p: "/none/.priority", d: 2 })).c, 26301, "a priority of nothing");
  check((await app.ask("p", { p: "/bad/" + Array(33).fill("a").join("/"), d: 2 })).c, 26106, "a path that is too long");
  check((await app.ask("p", { p: "/names/a", d: "no longer than 20" })).s, "ok", "what the rules allow");
  check((await app.ask("p", { p: "/names/a", d: "longer than twenty characters" })).c, 26101, "what the rules deny");
  check((await app.ask("auth", { cred: "nonsense" })).c, 26802, "a token that is none");
  check((await app.ask("q", { p: "/rooms", q: { l: 1, vf: "l", i: "name" }, t: 1, h: "" })).d, { w: ["no_index"] }, "a query without an index warns");

  // Signing in as the SDK does: its auth server first, then the socket with what that has given.
  const signIn = async (name, data) => (await fetch(`${authHost.replace("https://db.example.com", `http://${host}`)}/v2/myapp/auth/${name}`, {
    method: "POST", headers: { "content-type": "application/json", accept: "application/json;text/plain" },
    body: JSON.stringify({ ...data, _method: "POST", v: "WX2.5.17", transport: "json", suppress_status_codes: true }) })).json();
  const { idToken } = await signIn("signupNewUser", {});
  check(typeof idToken, "string", "an anonymous account at the auth host");
  const { users: [user] } = await signIn("getAccountInfo", { idToken });
  check([Array.isArray(user.providerUserInfo), user.providerId], [true, "anonymous"], "what the SDK asks of it");
  const signedIn = await app.ask("auth", { cred: idToken });
  check([signedIn.s, signedIn.d.auth.uid], ["ok", user.localId], "its token on the socket");
  check((await app.ask("p", { p: `/users/${user.localId}`, d: 1 })).s, "ok", "what only that user may write");
  check((await app.ask("p", { p: "/users/somebody", d: 1 })).c, 26101, "and nobody else's");
  check((await app.ask("unauth", {})).s, "ok", "signed out");
  check((await app.ask("p", { p: `/users/${user.localId}`, d: 2 })).c, 26101, "and no longer allowed");

  // More children than Wilddog would have given.
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => ["k" + n, n]));
  for (let part = 0; part < 3; part += 1) {
    const entries = Object.entries(many).slice(part * 1000, part * 1000 + 1000);
    check((await app.ask("m", { p: "/many", d: Object.fromEntries(entries) })).s, "ok", "a thousand children");
  }
  await app.on("/many");
  check(Object.keys(app.listens.get("/many").value).length, 3000, "are all there");
  app.listens.delete("/many");
  await app.ask("n", { p: "/many" });

  // The socket is cut: the SDK comes back at once, listens again, and sends again what was not acknowledged.
  check((await app.ask("om", { p: "/presence", d: { left: true } })).s, "ok", "an end that is left");
  wx.closeSocket();
  let written = false;
  app.request("p", { p: "/rooms/d", d: "sent while away" }, (reply) => { written = reply.s === "ok"; });
  await app.until(() => app.opens === 2, "back after a cut");
  await app.until(() => written, "what was written meanwhile is done");
  check(app.listens.get("/rooms").value.d, "sent while away", "and shown");
  await app.on("/presence");
  await app.until(() => app.listens.get("/presence").value?.left === true, "what was left for the end is done");

  const rest = await (await fetch(`http://${host}/rooms.json?ns=myapp&format=export`)).json();
  check(rest.a, { ".value": "hello", ".priority": 3 }, "REST and the mini-program share the app");
  console.log("done guide");
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
