// Bad networks: what a phone goes through, and what must come out of it.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { bundle, startServer, until, sleep } = require('./support');
const { Phone, killAll } = require('./wx');

const weapp = bundle('dhole-weapp.min.js');
const keptKey = (name = '') => `dhole:writes:${server.url}/${name}`;
let server;
let place = 0;

before(async () => {
  server = await startServer();
});
after(() => {
  killAll();
  return server.stop();
});

function start(options = {}, phone = new Phone({ backgroundMilliseconds: 20 })) {
  const wilddog = phone.load(weapp);
  const app = wilddog.initializeApp({ syncURL: server.url, ...options });
  return { phone, wilddog, app, sync: app.sync() };
}
const fresh = () => `net${++place}`;
const get = (at) => server.rest('GET', `/${at}.json`);
const put = (at, value) => server.rest('PUT', `/${at}.json`, value);
const connected = async (sync) => {
  const seen = { now: undefined };
  sync.child('.info/connected').on('value', (snapshot) => (seen.now = snapshot.val()));
  await until(() => seen.now, 'a connection');
  return seen;
};

test('in the background the platform cuts the socket, nothing is tried, and the return is at once', async () => {
  const at = fresh();
  const { phone, sync } = start();
  const state = await connected(sync);
  const values = [];
  sync.ref(at).on('value', (snapshot) => values.push(snapshot.val()));
  await until(() => values.length);
  phone.hide();
  await until(() => state.now === false);
  await put(at, 'while away');
  await sleep(1500);
  assert.strictEqual(phone.connections, 1, 'not tried again in the background');
  phone.show();
  await until(() => state.now === true);
  await until(() => values.includes('while away'));
  assert.strictEqual(phone.connections, 2);
});

test('a short visit elsewhere leaves the connection as it is', async () => {
  const { phone, sync } = start({}, new Phone({ backgroundMilliseconds: 5000 }));
  const state = await connected(sync);
  phone.hide();
  await sleep(50);
  phone.show();
  await sleep(100);
  assert.strictEqual(phone.connections, 1);
  assert.strictEqual(state.now, true);
});

test('when the network is back, so is the connection, without a wait', async () => {
  const { phone, sync } = start();
  const state = await connected(sync);
  phone.network(false);
  await until(() => state.now === false);
  // Long enough for the wait between tries to have grown.
  await sleep(2500);
  const tries = phone.connections;
  phone.network(true);
  await until(() => state.now === true);
  assert.strictEqual(phone.connections, tries + 1);
});

test('a socket that is dead without saying so is noticed', async () => {
  const at = fresh();
  const { phone, sync } = start();
  const state = await connected(sync);
  const states = [];
  sync.child('.info/connected').on('value', (snapshot) => states.push(snapshot.val()));
  phone.freeze();
  const done = sync.ref(at).set('kept');
  // The platform tells of another network; the old socket would wait for ever.
  phone.listeners.network.forEach((call) => call({ isConnected: true, networkType: '4g' }));
  await done;
  assert.strictEqual(await get(at), 'kept');
  assert.deepStrictEqual(states, [true, false, true]);
  assert.strictEqual(state.now, true);
});

test('where others hold all five sockets, one is had as soon as it is free', async () => {
  const phone = new Phone();
  const others = Array.from({ length: 5 }, () => phone.wx.connectSocket({ url: server.url + '/.ws?v=5' }));
  const { sync } = start({}, phone);
  let state;
  sync.child('.info/connected').on('value', (snapshot) => (state = snapshot.val()));
  await sleep(300);
  assert.strictEqual(state, false);
  others[0].close({});
  await until(() => state === true);
  others.forEach((other) => other.close({}));
});

test('writes that wait show at once, and go out in order when that can be', async () => {
  const at = fresh();
  const { phone, sync } = start();
  const ref = sync.ref(at);
  await ref.set({ start: 1 });
  phone.network(false);
  const values = [];
  const first = ref.child('a').set(1);
  ref.update({ a: 2, b: 3 });
  ref.child('list').push('x');
  const last = ref.child('a').set(4);
  // Never listened to: only what is written here is known of it.
  ref.child('list').on('child_added', (snapshot) => values.push(snapshot.val()));
  ref.child('a').on('value', (snapshot) => values.push(snapshot.val()));
  assert.deepStrictEqual(values, ['x', 4]);
  await sleep(50);
  phone.network(true);
  await Promise.all([first, last]);
  const value = await get(at);
  assert.deepStrictEqual([value.start, value.a, value.b], [1, 4, 3]);
  assert.strictEqual(Object.keys(value.list).length, 1);
});

test('writes that wait outlive the program if that was asked for, and go out once', async () => {
  const at = fresh();
  const phone = new Phone();
  let { sync } = start({ keepWrites: true }, phone);
  await connected(sync);
  phone.network(false);
  sync.ref(at).set({ a: 1 });
  sync.ref(at).update({ 'b/c': 2 });
  sync.ref(`${at}/t`).transaction(() => 5).catch(() => {});
  await sleep(20);
  phone.restart();
  assert.match(JSON.parse(phone.storage.get(keptKey())), /"b\/c":2/);
  phone.isConnected = true;
  ({ sync } = start({ keepWrites: true }, phone));
  const shown = [];
  sync.ref(at).on('value', (snapshot) => shown.push(JSON.stringify(snapshot.val())));
  assert.strictEqual(shown[0], '{"a":1,"b":{"c":2}}');
  await until(async () => JSON.stringify(await get(at)) === '{"a":1,"b":{"c":2}}');
  await until(() => !phone.storage.has(keptKey()), 'nothing kept any more');
  // Without being asked, nothing is kept.
  const other = new Phone();
  const plain = start({}, other);
  plain.sync.ref(at).set(1);
  await sleep(20);
  assert.strictEqual(other.storage.size, 0);
});

test('what is kept has a bound, and a storage that is full or broken stops nothing', async () => {
  const at = fresh();
  const { phone, sync } = start({ keepWrites: true });
  await connected(sync);
  phone.network(false);
  for (let i = 0; i < 40; i++) sync.ref(`${at}/k${i}`).set('x'.repeat(10000));
  await sleep(20);
  const kept = JSON.parse(JSON.parse(phone.storage.get(keptKey())));
  assert.ok(kept.length >= 15 && kept.length < 20, `${kept.length} kept`);
  assert.strictEqual(kept[0][1].p, `/${at}/k0`, 'the earliest, so that what is kept is one run of writes');
  phone.network(true);
  await until(async () => Object.keys((await get(at)) || {}).length === 40);
  const keep = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const caught = [];
  process.on('uncaughtException', (error) => caught.push(error.message));
  phone.wx.setStorageSync = () => { throw new Error('setStorageSync:fail'); };
  await sync.ref(`${at}/after`).set(1);
  await sleep(20);
  process.removeAllListeners('uncaughtException');
  keep.forEach((call) => process.on('uncaughtException', call));
  assert.strictEqual(await get(`${at}/after`), 1);
  phone.storage.set(keptKey(), '"{broken"');
  const again = new Phone();
  again.storage.set(keptKey(), '"{broken"');
  await connected(start({ keepWrites: true }, again).sync);
});

test('10 changes in 10,000 nodes while away cost at most 2 KB to catch up with', async () => {
  const at = fresh();
  const rooms = {};
  for (let i = 0; i < 1000; i++) {
    rooms[`room${i}`] = { title: `Room ${i}`, from: 'somebody', n: i, open: true, at: 1700000000000 + i, tag: 'a', x: 1, y: 2, z: 'zzz' };
  }
  await put(at, rooms);
  const { phone, sync } = start();
  const state = await connected(sync);
  let value;
  const changed = [];
  sync.ref(at).on('value', (snapshot) => (value = snapshot.val()));
  sync.ref(at).on('child_changed', (snapshot) => changed.push(snapshot.key()));
  await until(() => value);
  // The last that is heard before the socket is cut says up to where all is known.
  phone.hide();
  await until(() => state.now === false);
  for (let i = 0; i < 10; i++) await put(`${at}/room${i * 97}/title`, `Changed ${i}`);
  phone.bytesIn = phone.bytesOut = 0;
  phone.show();
  await until(() => value.room873.title === 'Changed 9');
  const bytes = phone.bytesIn + phone.bytesOut;
  assert.ok(bytes <= 2048, `${bytes} bytes`);
  console.log(`# resume of 10 changes in 10,000 nodes: ${phone.bytesOut} bytes out, ${phone.bytesIn} in`);
  assert.deepStrictEqual(changed.sort(), Array.from({ length: 10 }, (_, i) => `room${i * 97}`).sort());
  assert.deepStrictEqual(JSON.parse(JSON.stringify(value)), await get(at));
});

test('after the server has been started anew, a hash spares what has not changed', async () => {
  const own = await startServer();
  const big = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${i}`, i]));
  await own.rest('PUT', '/big.json', big);
  const phone = new Phone();
  const wilddog = phone.load(weapp);
  const sync = wilddog.initializeApp({ syncURL: own.url }).sync();
  const values = [];
  const tail = [];
  sync.ref('big').on('value', (snapshot) => values.push(snapshot.val()));
  sync.ref('list').limitToLast(2).on('value', (snapshot) => tail.push(snapshot.val()));
  await until(() => values.length && tail.length);
  await sleep(50);
  await own.stop();
  phone.bytesIn = 0;
  const again = await startServer({ port: own.port, data: own.data });
  await again.rest('PUT', '/list/a.json', 1);
  await until(() => tail.length > 1, 'the change since', 20000);
  await sleep(100);
  assert.ok(phone.bytesIn < 1500, `${phone.bytesIn} bytes`);
  assert.strictEqual(values.length, 1, 'nothing has changed');
  await again.stop();
});

test('who goes offline before the first connection is not connected', async () => {
  const { phone, sync } = start();
  sync.goOffline();
  await sleep(300);
  assert.strictEqual(phone.connections, 0);
  sync.goOnline();
  await connected(sync);
});

test('a server that wants no more connections is left alone', async () => {
  const { phone, sync } = start({ namespace: 'not a name' });
  let state;
  sync.child('.info/connected').on('value', (snapshot) => (state = snapshot.val()));
  await sleep(1200);
  assert.strictEqual(state, false);
  assert.ok(phone.connections <= 3);
});
