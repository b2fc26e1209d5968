// Firebase's style as programs use it, modular and namespaced, against the built server.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { bundle, startServer, until } = require('./support');

const firebase = require(bundle('dhole-firebase-node.min.js'));
const {
  child, connectAuthEmulator, connectDatabaseEmulator, endAt, endBefore, equalTo, get, getApp, getAuth, getDatabase, goOffline, goOnline,
  increment, initializeApp, limitToFirst, limitToLast, off, onChildAdded, onChildChanged, onChildMoved, onChildRemoved, onDisconnect,
  onValue, orderByChild, orderByKey, orderByPriority, orderByValue, push, query, ref, refFromURL, remove, runTransaction,
  serverTimestamp, set, setPriority, setWithPriority, signInAnonymously, signOut, startAfter, startAt, update,
} = firebase;

let server, database;
let place = 0;
let apps = 0;
const opened = [];

before(async () => {
  server = await startServer();
  database = open();
});
after(async () => {
  for (const one of opened) goOffline(one);
  await server.stop();
});

/** The database as another client sees it. */
function open(options = {}) {
  const made = getDatabase(initializeApp({ databaseURL: server.url, ...options }, apps++ ? `app${apps}` : undefined));
  opened.push(made);
  return made;
}
const fresh = () => ref(database, `place${++place}`);
const stored = (at) => server.rest('GET', `${new URL(at.toString()).pathname}.json`);
const put = (at, value) => server.rest('PUT', `${new URL(at.toString()).pathname}.json`, value);
const keysOf = async (of) => {
  const keys = [];
  (await get(of)).forEach((one) => void keys.push(one.key));
  return keys;
};

test('set, update, remove and get', async () => {
  const at = fresh();
  await set(at, { a: 1, b: { c: 'x' } });
  assert.deepStrictEqual(await stored(at), { a: 1, b: { c: 'x' } });
  await update(at, { 'b/c': null, d: [1, 2], a: 5 });
  assert.deepStrictEqual((await get(at)).val(), { a: 5, d: [1, 2] });
  await remove(child(at, 'd'));
  const snapshot = await get(at);
  assert.deepStrictEqual([snapshot.key, snapshot.size, snapshot.exists(), snapshot.child('a').val()], [at.key, 1, true, 5]);
  assert.strictEqual((await get(child(at, 'none'))).exists(), false);
  assert.strictEqual(JSON.stringify(snapshot), '{"a":5}');
  assert.throws(() => set(child(at, 'a'), undefined));
  assert.throws(() => child(at, 'a.b'));
});

test('references know where they are', () => {
  const at = ref(database, 'rooms/one');
  assert.deepStrictEqual([at.key, at.parent.key, at.parent.parent.key, at.root.key, at.root.parent], ['one', 'rooms', null, null, null]);
  assert.ok(at.isEqual(child(ref(database, 'rooms'), 'one')) && !at.isEqual(at.parent) && !at.isEqual(null));
  assert.ok(at.ref.isEqual(at) && query(at, limitToLast(1)).ref.isEqual(at));
  assert.ok(query(at, limitToLast(1)).isEqual(query(at, limitToLast(1))) && !query(at, limitToLast(1)).isEqual(query(at, limitToLast(2))));
  const url = `${server.url.replace('ws', 'http')}/rooms/one`;
  assert.strictEqual(at.toString(), url);
  assert.ok(refFromURL(database, url).isEqual(at));
  assert.throws(() => refFromURL(database, 'https://elsewhere.example.com/a'));
  assert.strictEqual(getApp().name, '[DEFAULT]');
  assert.strictEqual(initializeApp({ databaseURL: server.url }), getApp());
  assert.ok(firebase.database().ref('rooms/one').isEqual(at) && firebase.database(getApp()) === database);
});

test('push makes keys in order, which can be had before the write and after it', async () => {
  const at = fresh();
  const keys = Array.from({ length: 50 }, () => push(at).key);
  assert.deepStrictEqual(keys, keys.slice().sort());
  const made = push(at, { t: 1 });
  assert.strictEqual((await made).key, made.key);
  assert.deepStrictEqual(await stored(at), { [made.key]: { t: 1 } });
});

test('onValue and onChild… tell in order, once if asked, and stop', async () => {
  const at = fresh();
  await set(at, { a: 1, b: 2 });
  const log = [];
  const stops = [
    onChildAdded(at, (one, before) => log.push(`added ${one.key} after ${before}`)),
    onChildChanged(at, (one, before) => log.push(`changed ${one.key} after ${before}`)),
    onChildMoved(at, (one, before) => log.push(`moved ${one.key} after ${before}`)),
    onChildRemoved(at, (one) => log.push(`removed ${one.key}`)),
    onValue(at, (snapshot) => log.push(JSON.stringify(snapshot.val()))),
  ];
  await until(() => log.length === 3);
  assert.deepStrictEqual(log.splice(0), ['added a after null', 'added b after a', '{"a":1,"b":2}']);
  await update(at, { a: null, b: 3, c: 4 });
  assert.deepStrictEqual(log.splice(0), ['removed a', 'added c after b', 'changed b after null', '{"b":3,"c":4}']);
  await setPriority(child(at, 'b'), 9);
  assert.deepStrictEqual(log.splice(0), ['moved b after c', 'changed b after c', '{"b":3,"c":4}']);
  for (const stop of stops) stop();
  let once = 0;
  onValue(at, () => once++, { onlyOnce: true });
  await until(() => once);
  await set(child(at, 'c'), 5);
  assert.deepStrictEqual([log, once], [[], 1]);
  const call = (snapshot) => log.push(snapshot.val());
  onValue(child(at, 'c'), call);
  onValue(child(at, 'c'), (snapshot) => log.push(`other ${snapshot.val()}`));
  await until(() => log.length === 2);
  off(child(at, 'c'), 'value', call);
  await set(child(at, 'c'), 6);
  assert.deepStrictEqual(log.splice(0), [5, 'other 5', 'other 6']);
  off(child(at, 'c'));
  await set(child(at, 'c'), 7);
  assert.deepStrictEqual(log, []);
});

test('a refused listen is told to its cancel callback, and a refused write has a code', async () => {
  await server.rest('PUT', '/.settings/rules.json?ns=shut', { rules: {} }, { authorization: 'Bearer owner' });
  const shut = open({ namespace: 'shut' });
  const error = await new Promise((done) => onValue(ref(shut, 'a'), () => {}, done));
  assert.strictEqual(error.code, 'PERMISSION_DENIED');
  await assert.rejects(set(ref(shut, 'a'), 1), { code: 'PERMISSION_DENIED' });
  await assert.rejects(get(ref(shut, 'a')), { code: 'PERMISSION_DENIED' });
});

test('queries: orders, bounds, limits, from the server and from what is known', async () => {
  const at = fresh();
  await put(at, {
    ann: { n: 3, at: 'x', '.priority': 2 }, bo: { n: 1, at: 'y', '.priority': 1 }, cy: { n: 2, '.priority': 3 }, di: { n: 2, at: 'x' },
  });
  const scores = fresh();
  await put(scores, { a: 30, b: 10, c: 20, d: 'text', e: true });
  const cases = [
    [query(at, orderByKey()), 'ann bo cy di'],
    [query(at, orderByKey(), startAt('bo'), endAt('cy')), 'bo cy'],
    [query(at, orderByKey(), startAfter('bo')), 'cy di'],
    [query(at, orderByKey(), endBefore('bo')), 'ann'],
    [query(at, orderByKey(), equalTo('cy')), 'cy'],
    [query(at, orderByChild('n')), 'bo cy di ann'],
    [query(at, orderByChild('n'), equalTo(2)), 'cy di'],
    [query(at, orderByChild('n'), startAt(2, 'di')), 'di ann'],
    [query(at, orderByChild('n'), startAfter(2)), 'ann'],
    [query(at, orderByChild('n'), startAfter(2, 'cy')), 'di ann'],
    [query(at, orderByChild('n'), endBefore(2)), 'bo'],
    [query(at, orderByChild('n'), endAt(2), limitToLast(2)), 'cy di'],
    [query(at, orderByChild('at'), equalTo('x')), 'ann di'],
    [query(at, orderByChild('at'), equalTo(null)), 'cy'],
    [query(at, orderByPriority()), 'di bo ann cy'],
    [query(at, orderByPriority(), startAt(2)), 'ann cy'],
    // Constraints may come in any order.
    [query(at, limitToFirst(2), startAt(1), orderByChild('n')), 'bo cy'],
    [query(query(at, orderByChild('n')), limitToLast(1)), 'ann'],
    [query(scores, orderByValue()), 'e b c a d'],
    [query(scores, orderByValue(), startAt(15), endAt(40)), 'c a'],
    [query(scores, orderByValue(), limitToLast(2)), 'a d'],
    [query(scores, limitToFirst(2)), 'a b'],
  ];
  const check = async (where) => {
    for (const [one, expected] of cases) assert.strictEqual((await keysOf(one)).join(' '), expected, `${where}: ${JSON.stringify(one.filter_) || ''} ${expected}`);
  };
  await check('from the server');
  const stops = [onValue(at, () => {}), onValue(scores, () => {})];
  await get(at);
  await check('from what is known');
  for (const stop of stops) stop();
  for (const wrong of [
    () => query(at, orderByKey(), orderByValue()), () => query(at, limitToFirst(1), limitToLast(1)), () => query(at, limitToFirst(0)),
    () => query(at, orderByKey(), startAt(1)), () => query(at, startAt(1), startAfter(2)), () => query(at, orderByChild('')),
  ]) assert.throws(wrong, String(wrong));
});

test('runTransaction: two clients count, one stops, one is kept from view', async () => {
  const at = fresh();
  const other = ref(open(), at.key);
  const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => runTransaction(i % 2 ? at : other, (n) => (n || 0) + 1)));
  assert.ok(outcomes.every(({ committed }) => committed));
  assert.strictEqual(await stored(at), 20);
  const values = [];
  onValue(at, (snapshot) => values.push(snapshot.val()));
  await until(() => values.length);
  const stopped = await runTransaction(at, () => undefined);
  assert.deepStrictEqual([stopped.committed, stopped.snapshot.val()], [false, 20]);
  const hidden = runTransaction(at, (n) => n + 1, { applyLocally: false });
  assert.deepStrictEqual(values, [20]);
  await hidden;
  const shown = runTransaction(at, (n) => n + 1);
  assert.deepStrictEqual(values, [20, 21, 22]);
  await shown;
  goOffline(database);
  const overruled = runTransaction(at, (n) => n + 1);
  set(at, 50);
  await assert.rejects(overruled, /set/);
  goOnline(database);
  await until(async () => (await stored(at)) === 50);
  off(at);
});

test('serverTimestamp and increment are guessed here, and filled in by the server', async () => {
  const at = fresh();
  await set(at, { n: 5 });
  const values = [];
  onValue(at, (snapshot) => values.push(snapshot.val()));
  await until(() => values.length);
  const done = update(at, { n: increment(3), t: serverTimestamp() });
  assert.strictEqual(values[1].n, 8);
  assert.ok(Math.abs(values[1].t - Date.now()) < 60000);
  await done;
  const last = await stored(at);
  assert.deepStrictEqual(values[values.length - 1], last);
  assert.strictEqual(last.n, 8);
  await setWithPriority(child(at, 'p'), 'x', serverTimestamp());
  assert.strictEqual(typeof (await get(child(at, 'p'))).priority, 'number');
  assert.strictEqual(firebase.ServerValue.increment(1)['.sv'].increment, 1);
  off(at);
});

test('onDisconnect happens when the client goes, goOffline and goOnline are told in .info/connected', async () => {
  const at = fresh();
  const mine = open();
  const here = ref(mine, at.key);
  const connected = [];
  onValue(ref(mine, '.info/connected'), (snapshot) => connected.push(snapshot.val()));
  await set(here, { online: true, kept: 1, gone: 1 });
  await onDisconnect(child(here, 'online')).set(false);
  await onDisconnect(child(here, 'left')).set(serverTimestamp());
  await onDisconnect(child(here, 'gone')).remove();
  await onDisconnect(here).update({ 'x/y': 2 });
  await onDisconnect(child(here, 'kept')).remove();
  await onDisconnect(child(here, 'kept')).cancel();
  goOffline(mine);
  await until(async () => (await stored(at)).online === false);
  const { left, ...rest } = await stored(at);
  assert.deepStrictEqual(rest, { online: false, kept: 1, x: { y: 2 } });
  assert.strictEqual(typeof left, 'number');
  // What is written meanwhile waits.
  const waiting = set(child(here, 'kept'), 2);
  assert.strictEqual((await get(child(at, 'kept'))).val(), 1);
  goOnline(mine);
  await waiting;
  assert.strictEqual(await stored(child(at, 'kept')), 2);
  assert.deepStrictEqual(connected, [false, true, false, true]);
});

test('connectDatabaseEmulator has a database of the cloud here, under its own name', async () => {
  const app = initializeApp({ databaseURL: 'https://my-shop.firebaseio.com' }, 'cloud');
  const cloud = getDatabase(app);
  opened.push(cloud);
  connectDatabaseEmulator(cloud, '127.0.0.1', server.port);
  connectAuthEmulator(getAuth(app), `http://127.0.0.1:${server.port}/`);
  await set(ref(cloud, 'a'), 1);
  assert.strictEqual(await server.rest('GET', '/a.json?ns=my-shop'), 1);
  const user = await signInAnonymously(getAuth(app));
  assert.ok(user.uid && getAuth(app).currentUser === user);
  await signOut(getAuth(app));
  assert.throws(() => connectDatabaseEmulator(cloud, '127.0.0.1', 1), /in use/);
});
