// The SDK as programs use it, in a mini-program's bare context, against the built server.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { bundle, startServer, until, sleep } = require('./support');
const { Phone, killAll } = require('./wx');

const weapp = bundle('dhole-weapp.min.js');
let server;
let place = 0;

before(async () => {
  server = await startServer();
});
after(() => {
  killAll();
  return server.stop();
});

/** A phone with the program started, and a place of its own in the tree. */
function start(options = {}, phone = new Phone()) {
  const wilddog = phone.load(weapp);
  const app = wilddog.initializeApp({ syncURL: server.url, ...options });
  return { phone, wilddog, app, sync: app.sync() };
}
const fresh = () => `place${++place}`;
const get = (at) => server.rest('GET', `/${at}.json`);
const put = (at, value) => server.rest('PUT', `/${at}.json`, value);

/** All events of a reference, as text. */
function hear(query, log = []) {
  for (const type of ['child_added', 'child_changed', 'child_moved', 'child_removed']) {
    query.on(type, (snapshot, before) => log.push(`${type.slice(6)} ${snapshot.key()}${type === 'child_removed' ? '' : ` after ${before}`} ${JSON.stringify(snapshot.val())}`));
  }
  query.on('value', (snapshot) => log.push(`value ${JSON.stringify(snapshot.val())}`));
  return log;
}
/** What comes out of the program's own context has other prototypes. */
const same = (actual, expected, text) => assert.deepStrictEqual(JSON.parse(JSON.stringify(actual)), expected, text);
const taken = (log) => log.splice(0);

test('a bundle touches nothing but its platform', async () => {
  const at = fresh();
  const { phone, sync } = start();
  await sync.ref(at).set({ a: 1 });
  assert.deepStrictEqual(await get(at), { a: 1 });
  assert.deepStrictEqual(phone.foreignUses, []);
});

test('local writes show at once, and the server says the same again to nobody', async () => {
  const at = fresh();
  const { sync } = start();
  const ref = sync.ref(at);
  const log = hear(ref);
  await until(() => log.length);
  assert.deepStrictEqual(taken(log), ['value null']);
  const done = ref.set({ b: 1, a: 2 });
  assert.deepStrictEqual(taken(log), ['added a after null 2', 'added b after a 1', 'value {"a":2,"b":1}']);
  await done;
  const update = ref.update({ 'c/d': 3, a: null });
  assert.deepStrictEqual(taken(log), ['removed a 2', 'added c after b {"d":3}', 'value {"b":1,"c":{"d":3}}']);
  await update;
  await ref.child('b').setPriority(9);
  assert.deepStrictEqual(taken(log), ['moved b after c 1', 'changed b after c 1', 'value {"b":1,"c":{"d":3}}']);
  await put(`${at}/z`, 5);
  await until(() => log.length);
  assert.deepStrictEqual(taken(log), ['added z after c 5', 'value {"b":1,"c":{"d":3},"z":5}']);
});

test('what the server refuses is rolled back, with an error that has a code', async () => {
  const at = fresh();
  const name = 'rollback';
  await server.rest('PUT', `/.settings/rules.json?ns=${name}`, { rules: { '.read': true, '.write': 'newData.child("' + at + '").val() != 13', [at]: {} } }, { authorization: 'Bearer owner' });
  const { sync } = start({ namespace: name });
  const ref = sync.ref(at);
  await ref.set(1);
  const log = hear(ref);
  await until(() => log.length);
  taken(log);
  const denied = ref.set(13);
  assert.deepStrictEqual(taken(log), ['value 13']);
  await assert.rejects(denied, (error) => error.code === 26101 && /^PERMISSION_DENIED/.test(error.message));
  assert.deepStrictEqual(taken(log), ['value 1']);
  let told;
  ref.set(13, (error) => (told = error));
  await until(() => told);
  assert.strictEqual(told.code, 26101);
});

test('a listen that is refused is told, and others go on', async () => {
  const name = 'refusals';
  await server.rest('PUT', `/.settings/rules.json?ns=${name}`, { rules: { '.write': true, open: { '.read': true } } }, { authorization: 'Bearer owner' });
  const { sync } = start({ namespace: name });
  const errors = [];
  sync.ref('open').on('value', () => {});
  sync.ref('shut').on('value', () => assert.fail('told'), (error) => errors.push(error));
  await until(() => errors.length);
  assert.strictEqual(errors[0].code, 26101);
  await assert.rejects(sync.ref('shut').once('value'), { code: 26101 });
  await sync.ref('open').set(3);
  assert.strictEqual((await sync.ref('open').once('value')).val(), 3);
  // The root is refused, and the place below it that is open still tells.
  const values = [];
  sync.ref('open').on('value', (snapshot) => values.push(snapshot.val()));
  await assert.rejects(sync.once('value'), { code: 26101 });
  await put('open.json?ns=refusals'.replace('.json', ''), 0).catch(() => {});
  await server.rest('PUT', `/open.json?ns=${name}`, 4);
  await until(() => values.includes(4));
});

test('overlapping listens are one at the server, and queries are served from what is known', async () => {
  const at = fresh();
  await put(at, { list: { a: { n: 3 }, b: { n: 1 }, c: { n: 2 } }, x: 1 });
  const { phone, sync } = start();
  const whole = [];
  sync.ref(at).on('value', (snapshot) => whole.push(snapshot.val()));
  await until(() => whole.length);
  await sleep(50);
  phone.frames.length = 0;
  const log = hear(sync.ref(at).child('list').orderByChild('n').limitToLast(2));
  assert.deepStrictEqual(taken(log), [
    'added c after null {"n":2}', 'added a after c {"n":3}', 'value {"a":{"n":3},"c":{"n":2}}']);
  const snapshot = await sync.ref(`${at}/list/b/n`).once('value');
  assert.strictEqual(snapshot.val(), 1);
  assert.deepStrictEqual(phone.frames, [], 'nothing was asked of the server');
  const order = [];
  (await sync.ref(at).child('list').orderByChild('n').once('value')).forEach((child) => void order.push(child.key()));
  assert.deepStrictEqual(order, ['b', 'c', 'a']);
  // When the wide listen ends, the query goes on by itself.
  sync.ref(at).off();
  await until(() => phone.frames.some((frame) => /"i":"n"/.test(frame)));
  await put(`${at}/list/b/n`, 9);
  await until(() => log.length);
  assert.deepStrictEqual(taken(log).slice(0, 2), ['removed c {"n":2}', 'added b after a {"n":9}']);
});

test('a window moves: children enter and leave in order', async () => {
  const at = fresh();
  await put(at, { a: 1, b: 2, c: 3 });
  const { sync } = start();
  const log = hear(sync.ref(at).orderByKey().limitToLast(2));
  await until(() => log.length === 3);
  assert.deepStrictEqual(taken(log), ['added b after null 2', 'added c after b 3', 'value {"b":2,"c":3}']);
  await put(`${at}/d`, 4);
  await until(() => log.length === 3);
  assert.deepStrictEqual(taken(log), ['removed b 2', 'added d after c 4', 'value {"c":3,"d":4}']);
  const removal = sync.ref(at).child('d').remove();
  assert.deepStrictEqual(taken(log), ['removed d 4', 'value {"c":3}']);
  await removal;
  await until(() => log.length === 2);
  assert.deepStrictEqual(taken(log), ['added b after null 2', 'value {"b":2,"c":3}']);
});

test('transactions of two phones on one counter lose nothing', async () => {
  const at = fresh();
  const phones = [start(), start()];
  const outcomes = await Promise.all(phones.flatMap(({ sync }) =>
    Array.from({ length: 20 }, () => sync.ref(at).transaction((value) => (value || 0) + 1))));
  assert.ok(outcomes.every((outcome) => outcome.committed));
  assert.strictEqual(await get(at), 40);
  const last = Math.max(...outcomes.map((outcome) => outcome.snapshot.val()));
  assert.strictEqual(last, 40);
});

test('a transaction can stop, fail, be overruled, and be kept from view', async () => {
  const at = fresh();
  const { sync } = start();
  const ref = sync.ref(at);
  await ref.set(5);
  const values = [];
  ref.on('value', (snapshot) => values.push(snapshot.val()));
  await until(() => values.length);
  const stopped = await ref.transaction(() => undefined);
  assert.deepStrictEqual([stopped.committed, stopped.snapshot.val()], [false, 5]);
  await assert.rejects(ref.transaction(() => { throw new Error('own'); }), /own/);
  await assert.rejects(ref.transaction(() => ({ 'a/b': 1 })), /Bad key/);
  let called;
  const hidden = ref.transaction((value) => value + 1, (error, committed, snapshot) => (called = [error, committed, snapshot.val()]), false);
  assert.deepStrictEqual(values, [5]);
  await hidden;
  assert.deepStrictEqual(called, [null, true, 6]);
  assert.deepStrictEqual(values, [5, 6]);
  ref.goOffline();
  const overruled = ref.transaction((value) => value + 1);
  ref.set(50);
  await assert.rejects(overruled, { code: 26204 });
  ref.goOnline();
  await until(async () => (await get(at)) === 50);
  assert.deepStrictEqual(values, [5, 6, 7, 50]);
});

test('a transaction that was on its way when the connection broke is an error, not a second write', async () => {
  const at = fresh();
  const { phone, sync } = start();
  await sync.ref(at).set(1);
  phone.freeze();
  const lost = sync.ref(at).transaction((value) => (value || 0) + 1);
  await sleep(30);
  phone.cut();
  await assert.rejects(lost, { code: 26202 });
  await until(async () => (await sync.ref(at).once('value')).val() === 1);
});

test('onDisconnect happens at the server when the phone is gone, shows here at once, and can be cancelled', async () => {
  const at = fresh();
  const { phone, sync, wilddog } = start();
  const ref = sync.ref(at);
  await ref.set({ online: true, kept: 1 });
  const values = [];
  ref.child('online').on('value', (snapshot) => values.push(snapshot.val()));
  await ref.child('online').onDisconnect().set(false);
  await ref.child('at').onDisconnect().set(wilddog.ServerValue.TIMESTAMP);
  await ref.child('kept').onDisconnect().remove();
  await ref.child('kept').onDisconnect().cancel();
  await ref.onDisconnect().update({ 'x/y': 2 });
  phone.network(false);
  await until(() => values[values.length - 1] === false);
  await until(async () => (await get(`${at}/online`)) === false);
  const value = await get(at);
  assert.strictEqual(value.kept, 1);
  assert.deepStrictEqual(value.x, { y: 2 });
  assert.strictEqual(typeof value.at, 'number');
  await put(`${at}/online`, true);
  phone.network(true);
  await until(() => values[values.length - 1] === true);
});

test('placeholders are guessed, and what the server fills in replaces them', async () => {
  const at = fresh();
  const { sync, wilddog } = start();
  const ref = sync.ref(at);
  await ref.set({ n: 5 });
  const values = [];
  ref.on('value', (snapshot) => values.push(snapshot.val()));
  await until(() => values.length);
  const done = ref.update({ t: wilddog.ServerValue.TIMESTAMP, n: wilddog.ServerValue.increment(3) });
  assert.strictEqual(values[1].n, 8);
  assert.ok(Math.abs(values[1].t - Date.now()) < 60000);
  await done;
  same(values[values.length - 1], await get(at));
  assert.ok(values.slice(1).every((value) => value.n === 8), 'an increment is never seen twice');
  await ref.child('t').setPriority(wilddog.ServerValue.TIMESTAMP);
  assert.strictEqual(typeof (await ref.child('t').once('value')).getPriority(), 'number');
});

test('.info tells of the connection and of the clock, and can only be read', async () => {
  const { phone, sync } = start();
  const connected = [];
  sync.child('.info/connected').on('value', (snapshot) => connected.push(snapshot.val()));
  assert.deepStrictEqual(connected, [false]);
  await until(() => connected.length === 2);
  phone.network(false);
  await until(() => connected.length === 3);
  phone.network(true);
  await until(() => connected.length === 4);
  assert.deepStrictEqual(connected, [false, true, false, true]);
  const offset = (await sync.child('.info/serverTimeOffset').once('value')).val();
  assert.ok(Math.abs(offset) < 5000);
  assert.throws(() => sync.child('.info/connected').set(1));
});

test('references, queries and snapshots have the methods that programs know', async () => {
  const at = fresh();
  const { sync } = start();
  const ref = sync.ref(at);
  assert.strictEqual(ref.key(), at);
  assert.strictEqual(ref.parent().key(), null);
  assert.strictEqual(ref.parent().parent(), null);
  assert.strictEqual(ref.child('a/b').key(), 'b');
  assert.strictEqual(ref.child('a b').toString(), `${server.url.replace('ws', 'http')}/${at}/a%20b`);
  assert.strictEqual(ref.child('x').root().child(at).toString(), ref.toString());
  assert.strictEqual(ref.limitToLast(1).ref().toString(), ref.toString());
  await ref.setWithPriority({ a: { '.value': 1, '.priority': 2 }, b: [1, 2], '0': 'x' }, 'p');
  const snapshot = await ref.once('value');
  same(snapshot.exportVal(), { 0: 'x', a: { '.value': 1, '.priority': 2 }, b: { 0: 1, 1: 2 }, '.priority': 'p' });
  same([snapshot.exists(), snapshot.hasChild('b/1'), snapshot.hasChild('c'), snapshot.hasChildren(), snapshot.numChildren(), snapshot.getPriority(), snapshot.key()],
    [true, true, false, true, 3, 'p', at]);
  same(snapshot.child('b').val(), [1, 2]);
  const keys = [];
  assert.strictEqual(snapshot.forEach((child) => keys.push(child.key()) === 2), true);
  assert.deepStrictEqual(keys, ['0', 'b'], 'in the order of priorities, until the visitor has enough');
  const pushed = ref.child('list').push({ t: 1 });
  assert.match(pushed.key(), /^.{20}$/);
  assert.strictEqual((await pushed).toString(), pushed.toString());
  assert.deepStrictEqual(await get(`${at}/list`), { [pushed.key()]: { t: 1 } });
  for (const wrong of [
    () => ref.child('a.b'), () => ref.on('valu', () => {}), () => ref.on('value'), () => ref.set(undefined), () => ref.set(NaN),
    () => ref.update(5), () => ref.update({ a: 1, 'a/b': 2 }), () => ref.orderByKey().orderByValue(), () => ref.limitToLast(0),
    () => ref.limitToFirst(1).limitToLast(2), () => ref.orderByKey().startAt(5), () => ref.startAt(true), () => ref.startAt(1).startAt(2),
    () => ref.transaction(5), () => ref.orderByChild(''), () => ref.child('x').push(() => 1),
  ]) assert.throws(wrong, String(wrong));
});

test('callbacks come off one by one, and their context is theirs', async () => {
  const at = fresh();
  const { sync } = start();
  const ref = sync.ref(at);
  const log = [];
  const context = { name: 'context' };
  const first = ref.on('value', function (snapshot) { log.push(`first ${snapshot.val()} ${this && this.name}`); }, null, context);
  const second = ref.on('value', (snapshot) => log.push(`second ${snapshot.val()}`));
  await until(() => log.length === 2);
  taken(log);
  ref.off('value', first, { other: 1 });
  await ref.set(1);
  assert.deepStrictEqual(taken(log), ['first 1 context', 'second 1']);
  ref.off('value', first);
  await ref.set(2);
  assert.deepStrictEqual(taken(log), ['second 2']);
  ref.off('value', second);
  await ref.set(3);
  assert.deepStrictEqual(taken(log), []);
});

test('a callback that throws hurts nobody else', async () => {
  const at = fresh();
  const { sync } = start();
  const caught = [];
  const keep = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => caught.push(error.message));
  const values = [];
  sync.ref(at).on('value', () => { throw new Error('mine'); });
  sync.ref(at).on('value', (snapshot) => values.push(snapshot.val()));
  await sync.ref(at).set(1);
  await until(() => caught.length);
  process.removeAllListeners('uncaughtException');
  keep.forEach((call) => process.on('uncaughtException', call));
  assert.strictEqual(caught[0], 'mine');
  assert.strictEqual(values[values.length - 1], 1);
});

test('pages are kept up to date by bindings, with what has not changed left as it was', async () => {
  const at = fresh();
  await put(at, { a: { n: 1 }, b: { n: 2 } });
  const { sync } = start();
  const page = { data: {}, calls: 0, setData(values) { Object.assign(this.data, values); this.calls++; } };
  let told = 0;
  await sync.ref(at).bindAsArray(page, 'list', () => told++);
  same(page.data.list, [
    { '.key': 'a', '.value': { n: 1 }, '.priority': null }, { '.key': 'b', '.value': { n: 2 }, '.priority': null }]);
  assert.strictEqual(told, 1);
  assert.throws(() => sync.ref(at).bindAsArray(page, 'list'), /already/);
  const first = page.data.list[0];
  await sync.ref(at).child('c').set({ n: 3 });
  same(page.data.list.map((entry) => entry['.key']), ['a', 'b', 'c']);
  assert.strictEqual(page.data.list[0], first);
  await sync.ref(at).child('a').bindAsObject(page, 'one');
  same(page.data.one, { '.key': 'a', '.value': { n: 1 }, '.priority': null });
  await sync.ref(at).orderByKey().limitToLast(1).bindAsArray(page, 'last');
  assert.strictEqual(page.data.last.length, 1);
  sync.ref(at).unbind(page, 'list');
  const calls = page.calls;
  await sync.ref(at).child('b').set(null);
  assert.strictEqual(page.calls, calls, 'neither of the other two shows b');
  assert.strictEqual(page.data.list.length, 3, 'what was shown stays');
  await assert.rejects(async () => sync.ref(at).bindAsArray({}, 'x'));
});

test('messages that come as bytes, and values larger than a frame, both ways', async () => {
  const at = fresh();
  const phone = new Phone();
  phone.asBytes = true;
  const { sync } = start({}, phone);
  const text = 'é中😀'.repeat(30000);
  await sync.ref(at).set({ text });
  assert.strictEqual((await get(at)).text, text);
  const other = start();
  assert.strictEqual((await other.sync.ref(`${at}/text`).once('value')).val(), text);
  assert.strictEqual((await start({}, phone).sync.ref(`${at}/text`).once('value')).val(), text);
});
