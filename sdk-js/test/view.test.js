// What listeners hear, against a model that sorts and filters everything anew each time.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const { inside, chance } = require('./support');

const sdk = inside();

const rank = (value) => (value === null ? 0 : value === false ? 1 : value === true ? 2 : typeof value === 'number' ? 3 : typeof value === 'string' ? 4 : 5);
const compare = (a, b) => rank(a) - rank(b) || (rank(a) < 3 || rank(a) > 4 || a === b ? 0 : a < b ? -1 : 1);
const split = (json) => (json && typeof json === 'object' && '.value' in json
  ? [json['.value'], json['.priority'] === undefined ? null : json['.priority']]
  : [json, (json && json['.priority']) || null]);

function indexOf(query, key, child) {
  const [value, priority] = split(child);
  if (query.i === undefined) return priority;
  if (query.i === '.key') return key;
  if (query.i === '.value') return value;
  const below = value && typeof value === 'object' ? value[query.i] : undefined;
  return below === undefined ? null : below;
}

/** The children that a query shows, in its order: everything looked at, nothing remembered. */
function model(children, query) {
  const list = Object.keys(children).map((key) => [key, indexOf(query, key, children[key])]);
  const order = (a, b) => (query.i === '.key' ? 0 : compare(a[1], b[1])) || sdk.compareKeys(a[0], b[0]);
  list.sort(order);
  const at = (entry, value, key) => (query.i === '.key' ? sdk.compareKeys(entry[0], value) : compare(entry[1], value) || sdk.compareKeys(entry[0], key));
  let shown = list.filter((entry) =>
    (query.sp === undefined || at(entry, query.sp, query.sn === undefined ? '[MIN_NAME]' : query.sn) >= (query.sin === false ? 1e-9 : 0)) &&
    (query.ep === undefined || at(entry, query.ep, query.en === undefined ? '[MAX_NAME]' : query.en) <= (query.ein === false ? -1e-9 : 0)));
  if (query.l) shown = query.vf === 'r' ? shown.slice(-query.l) : shown.slice(0, query.l);
  return shown.map((entry) => entry[0]);
}

function randomChild(random) {
  const leaf = () => random.of([1, 2, 3, 'a', 'b', true, false, 7.5]);
  const value = random.next() < 0.5 ? leaf() : { n: leaf(), m: leaf() };
  if (random.next() < 0.3) {
    const priority = random.of([1, 2, 'p']);
    return typeof value === 'object' ? { ...value, '.priority': priority } : { '.value': value, '.priority': priority };
  }
  return value;
}

function randomQuery(random) {
  const query = {};
  const index = random.of([undefined, '.key', '.value', 'n', 'n']);
  if (index !== undefined) query.i = index;
  const bound = () => (index === '.key' ? 'k' + random.below(12) : random.of(index === undefined ? [null, 1, 2, 'p'] : [1, 2, 'a', false, null]));
  if (random.next() < 0.4) query.sp = bound();
  if (random.next() < 0.4) query.ep = bound();
  if (index !== '.key') {
    if (query.sp !== undefined && random.next() < 0.3) query.sn = 'k' + random.below(12);
    if (query.ep !== undefined && random.next() < 0.3) query.en = 'k' + random.below(12);
  }
  if (query.sp !== undefined && random.next() < 0.2) query.sin = false;
  if (query.ep !== undefined && random.next() < 0.2) query.ein = false;
  if (random.next() < 0.5) Object.assign(query, { l: 1 + random.below(5), vf: random.of(['l', 'r']) });
  return query;
}

test('events, applied one after the other, give what the model shows', (t) => {
  const random = chance(t);
  for (let round = 0; round < 400; round++) {
    const query = randomQuery(random);
    const view = new sdk.View(['x'], query);
    view.listeners_.push({ type_: 'child_added' });
    let children = {};
    let node = sdk.empty;
    const shown = [];
    const values = new Map();
    for (let step = 0; step < 25; step++) {
      const before = { ...children };
      const changes = random.next() < 0.8 ? 1 : 4;
      for (let i = 0; i < changes; i++) {
        const key = 'k' + random.below(12);
        if (random.next() < 0.3) delete children[key];
        else children[key] = randomChild(random);
      }
      if (random.next() < 0.05) children = {};
      node = random.next() < 0.1
        ? sdk.nodeFrom(children)
        : Object.keys({ ...before, ...children }).reduce(
          (made, key) => (JSON.stringify(before[key]) === JSON.stringify(children[key]) ? made : made.with_([key], sdk.nodeFrom(children[key] === undefined ? null : children[key]))),
          node);
      const was = [...shown];
      const events = view.update_(node, true);
      const order = ['child_removed', 'child_added', 'child_moved', 'child_changed', 'value'];
      let last = 0;
      for (const { type_: type, key_: key, before_: previous, node_: value } of events) {
        const place = order.indexOf(type);
        assert.ok(place >= last, `${type} after ${order[last]}`);
        last = place;
        if (type === 'child_removed') {
          assert.ok(shown.includes(key));
          shown.splice(shown.indexOf(key), 1);
          values.delete(key);
        } else if (type !== 'value') {
          assert.strictEqual(was.includes(key), type !== 'child_added');
          if (shown.includes(key)) shown.splice(shown.indexOf(key), 1);
          // The child before may itself move later in this turn: it is put where it will be.
          shown.splice(previous === null ? 0 : shown.indexOf(previous) + 1, 0, key);
          values.set(key, value.json_(true));
        }
      }
      const expected = model(children, query);
      assert.deepStrictEqual([...values.keys()].sort(), [...expected].sort(), JSON.stringify([query, children]));
      for (const key of expected) assert.deepStrictEqual(values.get(key), sdk.nodeFrom(children[key]).json_(true));
      const inOrder = [];
      view.initial_().forEach((event) => event.key_ !== null && inOrder.push([event.key_, event.before_]));
      assert.deepStrictEqual(inOrder.map((entry) => entry[0]), expected, JSON.stringify([query, children]));
      inOrder.forEach((entry, i) => assert.strictEqual(entry[1], i ? inOrder[i - 1][0] : null));
      // Each event names the child that is before it in the end.
      for (const { type_: type, key_: key, before_: previous } of events) {
        if (type === 'child_removed' || type === 'value') continue;
        const at = expected.indexOf(key);
        assert.strictEqual(previous, at ? expected[at - 1] : null);
      }
      shown.length = 0;
      shown.push(...expected);
    }
  }
});

test('a value is told once and only when it is different', () => {
  const view = new sdk.View(['x'], {});
  const types = (events) => events.map((event) => event.type_);
  assert.deepStrictEqual(types(view.update_(sdk.empty, false)), []);
  assert.deepStrictEqual(types(view.update_(sdk.empty, true)), ['value']);
  assert.deepStrictEqual(types(view.update_(sdk.nodeFrom({ a: 1 }), true)), ['value']);
  assert.deepStrictEqual(types(view.update_(sdk.nodeFrom({ a: 1 }), true)), []);
});
