'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { root, inside, chance } = require('./support');

const sdk = inside();
const corpus = (name) => JSON.parse(fs.readFileSync(path.join(root, 'Tests/Corpora', name), 'utf8'));
const byKey = (a, _, b) => (a < b ? -1 : a > b ? 1 : 0);

test('a sorted list agrees with a plain map, leaves the one before as it was, and tells what differs', (t) => {
  const random = chance(t);
  const entries = (list) => (list || []).map((entry) => [...entry]);
  for (let round = 0; round < 60; round++) {
    let list = null;
    const model = new Map();
    let old = null;
    let oldModel = new Map();
    for (let step = 0; step < 120; step++) {
      const key = 'k' + random.below(40);
      const before = entries(list);
      const was = list;
      if (random.next() < 0.6) {
        list = sdk.changing(list, key, 0, byKey, step);
        model.set(key, step);
      } else {
        list = sdk.changing(list, key, 0, byKey);
        model.delete(key);
      }
      assert.deepStrictEqual(entries(was), before);
      const sorted = [...model].sort((a, b) => byKey(a[0], 0, b[0], 0));
      assert.deepStrictEqual(entries(list), sorted);
      assert.strictEqual(sdk.size(list), model.size);
      assert.strictEqual(sdk.find(list, key, 0, byKey), model.get(key));
      const previous = sorted.filter((entry) => entry[0] < key).pop();
      assert.strictEqual(sdk.keyBefore(list, key, 0, byKey), previous ? previous[0] : null);
      if (step % 10 === 9) {
        const told = [];
        sdk.differences(old, list, byKey, (name, x, y) => told.push([name, x, y]));
        const expected = [...new Set([...oldModel.keys(), ...model.keys()])].sort()
          .filter((name) => oldModel.get(name) !== model.get(name))
          .map((name) => [name, oldModel.get(name), model.get(name)]);
        // An entry that was written anew with the same value is another entry: it may be told.
        assert.deepStrictEqual(told.filter((entry) => entry[1] !== entry[2]), expected);
        old = list;
        oldModel = new Map(model);
      }
    }
  }
});

test('one change in 10,000 entries is found with few comparisons', () => {
  const list = Array.from({ length: 10000 }, (_, i) => ['k' + String(i).padStart(5, '0'), i]);
  const now = sdk.changing(list, 'k05000', 0, byKey, -1);
  let compared = 0;
  sdk.differences(list, now, (a, x, b) => (compared++, byKey(a, x, b)), () => {});
  assert.ok(compared < 10, `${compared} comparisons`);
});

test('hashes are those of the corpus', () => {
  for (const { json, hash } of corpus('hashes/standard.json')) {
    assert.strictEqual(sdk.nodeFrom(JSON.parse(json)).digest_, hash, json);
  }
});

test('SHA-1 is that of Node, whatever the text and its length', (t) => {
  const random = chance(t);
  const { createHash } = require('crypto');
  for (let length = 0; length < 300; length++) {
    let text = '';
    for (let i = 0; i < length; i++) text += random.of(['a', 'é', '中', '😀', '\ud800', '\0']);
    const expected = length ? createHash('sha1').update(Buffer.from(text, 'utf8')).digest('base64') : '';
    assert.strictEqual(sdk.sha1(text), expected);
  }
});

test('UTF-8 comes back as it was', () => {
  for (const text of ['', 'plain', 'é中😀\u0000\u007f\u0080\u07ff\u0800\uffff']) {
    assert.strictEqual(sdk.textOf(Buffer.from(text)), text);
  }
});

test('keys and values have the order of the corpus', () => {
  for (const { why, keys } of corpus('order/keys.json')) {
    keys.forEach((a, i) => keys.forEach((b, j) => {
      assert.strictEqual(Math.sign(sdk.compareKeys(a, b)), Math.sign(i - j), `${why}: ${a} ${b}`);
    }));
  }
  const parse = (text) => sdk.nodeFrom(JSON.parse(text));
  for (const { why, values } of corpus('order/values.json')) {
    values.forEach((a, i) => values.forEach((b, j) => {
      const side = Math.sign(sdk.compareValues(parse(a), parse(b)));
      // Numbers past 2^53 are one and the same here.
      if (JSON.parse(a) !== JSON.parse(b)) assert.strictEqual(side, Math.sign(i - j), `${why}: ${a} ${b}`);
    }));
  }
});

test('queries show what the corpus says', () => {
  let count = 0;
  for (const { name, location, query, shows = null } of corpus('queries/windows.json')) {
    if (typeof query !== 'object' || Object.keys(query).some((key) => !'sp sn sin ep en ein l vf i'.split(' ').includes(key))) continue;
    // The SDK always says from which end, and has names of its own for the bounds of keys.
    if ((query.l && !query.vf) || /MAX_KEY/.test(JSON.stringify(query))) continue;
    // The corpus writes null so, as it leaves out what is null.
    for (const side of ['sp', 'ep']) if (query[side] && query[side].null) query[side] = null;
    const view = new sdk.View(['x'], query);
    view.update_(sdk.nodeFrom(location), true);
    assert.deepStrictEqual(view.node_.json_(true), sdk.nodeFrom(shows).json_(true), name);
    count++;
  }
  assert.ok(count > 20, `only ${count} cases`);
});

test('a value keeps to the rules of the tree', () => {
  const node = (json) => sdk.nodeFrom(json);
  const text = (of) => JSON.stringify(of.json_(true));
  assert.strictEqual(text(node({ a: null, b: {}, c: [] })), 'null');
  assert.strictEqual(text(node(['x', null, 'z'])), '{"0":"x","2":"z"}');
  assert.deepStrictEqual(node({ 0: 'x', 2: 'z' }).json_(), ['x', null, 'z']);
  assert.deepStrictEqual(node({ 0: 'x', 4: 'z' }).json_(), { 0: 'x', 4: 'z' });
  // Writing below a leaf makes it an object and keeps its priority; deleting the last child deletes all.
  const leaf = node({ '.value': 5, '.priority': 1 });
  assert.strictEqual(text(leaf.with_(['a', 'b'], node(1))), '{"a":{"b":1},".priority":1}');
  assert.strictEqual(text(leaf.with_(['a'], node(null))), '{".value":5,".priority":1}');
  assert.strictEqual(text(node({ a: { b: 1 } }).with_(['a', 'b'], node(null))), 'null');
  assert.strictEqual(text(node({ a: 1 }).with_(['a', '.priority'], node('p'))), '{"a":{".value":1,".priority":"p"}}');
  assert.strictEqual(text(node({ a: 1 }).with_(['b', '.priority'], node('p'))), '{"a":1}');
  const shared = node({ a: { x: 1 }, b: { y: 2 } });
  assert.strictEqual(shared.with_(['a', 'x'], node(3)).child_('b'), shared.child_('b'));
});

test('push ids ascend, also within a millisecond and when the clock goes back', () => {
  let last = '';
  for (const time of [1700000000000, 1700000000000, 1700000000001, 1600000000000, 1700000000001]) {
    for (let i = 0; i < 200; i++) {
      const id = sdk.pushID(time);
      assert.match(id, /^[-0-9A-Z_a-z]{20}$/);
      assert.ok(id > last, `${id} after ${last}`);
      last = id;
    }
  }
});

test('what is no path, value or update is stopped and named', () => {
  const bad = [
    () => sdk.checkedPath('a.b'), () => sdk.checkedPath('a#'), () => sdk.checkedPath(5), () => sdk.checkedPath('x/.info'),
    () => sdk.checkedPath(Array(33).fill('a').join('/')), () => sdk.checkedPath('é'.repeat(400)),
    () => sdk.checkValue(NaN, []), () => sdk.checkValue(undefined, []), () => sdk.checkValue({ a: () => 1 }, []),
    () => sdk.checkValue({ 'a/b': 1 }, []), () => sdk.checkValue({ '': 1 }, []), () => sdk.checkValue({ '.priority': {} }, []),
    () => sdk.checkValue(Symbol('x'), []), () => sdk.checkValue(BigInt(1), []),
    () => sdk.checkedUpdate({ a: 1, 'a/b': 2 }, []), () => sdk.checkedUpdate({ '/': 1 }, []), () => sdk.checkedUpdate(5, []),
    () => sdk.checkPriority(true), () => sdk.checkPriority({}), () => sdk.checkWritable(['.info']),
  ];
  bad.forEach((call) => assert.throws(call, Error, String(call)));
  let deep = 1;
  for (let i = 0; i < 40; i++) deep = { a: deep };
  assert.throws(() => sdk.checkValue(deep, []));
  const loop = {};
  loop.loop = loop;
  assert.throws(() => sdk.checkValue(loop, []));
  sdk.checkValue({ a: 1, b: [true, 'x', null], '.priority': 3, t: { '.sv': 'timestamp' } }, []);
  sdk.checkPriority('x');
  sdk.checkPriority(null);
  assert.deepStrictEqual(sdk.checkedPath('.info/connected'), ['.info', 'connected']);
  assert.deepStrictEqual(sdk.checkedUpdate({ 'a/b': 1, ab: 2, 'c/.priority': 3 }, ['x']).map((set) => set[0].join('/')),
    ['x/a/b', 'x/ab', 'x/c/.priority']);
});
