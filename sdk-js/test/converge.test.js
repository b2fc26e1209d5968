// Two phones and a REST writer, through 200 rounds of everything that happens to phones.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { bundle, startServer, until, sleep, chance } = require('./support');
const { Phone, killAll } = require('./wx');

const weapp = bundle('dhole-weapp.min.js');
const rounds = Number(process.env.ROUNDS) || 200;
let server;

before(async () => {
  server = await startServer({ flags: ['--durability', 'relaxed'] });
});
after(() => {
  killAll();
  return server.stop();
});

/** A phone with its program, and what the program has been promised. */
class Actor {
  constructor(name, random) {
    this.name = name;
    this.random = random;
    this.phone = new Phone({ backgroundMilliseconds: 15 });
    this.acknowledged = [];
    this.faults = [];
    this.count = 0;
    this.begin();
  }

  begin() {
    const wilddog = this.phone.load(weapp);
    this.sync = wilddog.initializeApp({ syncURL: server.url, keepWrites: true }).sync();
    this.tree = undefined;
    /** The children as the events of one after the other make them. */
    this.list = [];
    let sequence = -1;
    const ref = this.sync.ref('world');
    ref.on('value', (snapshot) => {
      this.tree = snapshot.val();
      // The writer by REST counts: nobody may see it go back.
      const now = (this.tree && this.tree.sequence) || 0;
      if (now < sequence) this.faults.push(`sequence went from ${sequence} to ${now}`);
      sequence = now;
    });
    const items = ref.child('shared').orderByKey();
    const placed = (key, before) => {
      if (before !== null && !this.list.includes(before)) this.faults.push(`${key} after ${before}, which is not there`);
      this.list.splice(before === null ? 0 : this.list.indexOf(before) + 1, 0, key);
    };
    items.on('child_added', (snapshot, before) => {
      if (this.list.includes(snapshot.key())) this.faults.push(`added twice: ${snapshot.key()}`);
      placed(snapshot.key(), before);
    });
    items.on('child_changed', (snapshot) => {
      if (!this.list.includes(snapshot.key())) this.faults.push(`changed, not there: ${snapshot.key()}`);
    });
    items.on('child_removed', (snapshot) => {
      const at = this.list.indexOf(snapshot.key());
      if (at < 0) this.faults.push(`removed, not there: ${snapshot.key()}`);
      this.list.splice(at, 1);
    });
  }

  write() {
    const { random } = this;
    const key = `${this.name}${++this.count}`;
    const own = this.sync.ref(`world/own/${this.name}`);
    own.child(key).set(this.count).then(() => this.acknowledged.push(key), (error) => this.faults.push(`own write: ${error.message}`));
    const shared = this.sync.ref(`world/shared`);
    const ignore = () => {};
    const choice = random.below(4);
    if (choice === 0) shared.child(`k${random.below(20)}`).set({ by: this.name, n: this.count }).catch(ignore);
    if (choice === 1) shared.child(`k${random.below(20)}`).remove().catch(ignore);
    if (choice === 2) shared.update({ [`k${random.below(10)}/n`]: this.count, [`k${10 + random.below(10)}`]: null }).catch(ignore);
    if (choice === 3) {
      this.sync.ref('world/count').transaction((value) => (value || 0) + 1)
        .then(({ committed }) => committed && (this.counted = (this.counted || 0) + 1), ignore);
    }
  }

  async suffer() {
    const { phone, random } = this;
    switch (random.below(9)) {
      case 0: return phone.cut();
      case 1:
        phone.freeze();
        await sleep(random.below(20));
        return phone.cut();
      case 2:
        phone.hide();
        await sleep(random.below(40));
        return phone.show();
      case 3:
        phone.network(false);
        await sleep(random.below(20));
        return phone.network(true);
      case 4: {
        const most = random.below(12);
        phone.delay = () => random.below(most + 1);
        return undefined;
      }
      case 5:
        phone.delay = () => 0;
        return undefined;
      case 6:
        if (random.below(4)) return undefined;
        // The system kills the program; it is opened again.
        await sleep(1);
        phone.restart();
        phone.isInFront = true;
        phone.isCutOff = false;
        this.begin();
        return undefined;
      default: return undefined;
    }
  }
}

test(`two phones and a writer by REST agree after ${rounds} rounds of cuts, delays and kills`, async (t) => {
  const random = chance(t);
  const actors = [new Actor('a', random), new Actor('b', random)];
  let sequence = 0;
  const byREST = {};
  for (let round = 0; round < rounds; round++) {
    for (const actor of actors) {
      for (let i = random.below(3); i >= 0; i--) actor.write();
      await actor.suffer();
    }
    await server.rest('PUT', '/world/sequence.json', ++sequence);
    if (random.below(2)) await server.rest('PATCH', '/world/shared.json', { [`k${random.below(20)}`]: sequence });
    if (random.below(3) === 0) {
      const key = `rest${sequence}`;
      await server.rest('PUT', `/world/own/rest/${key}.json`, sequence);
      byREST[key] = sequence;
    }
    await sleep(random.below(6));
  }
  for (const actor of actors) {
    actor.phone.delay = () => 0;
    actor.phone.hide();
    actor.phone.show();
    actor.phone.network(true);
  }
  const tree = await until(async () => {
    const now = await server.rest('GET', '/world.json');
    const text = JSON.stringify(now);
    const isStill = actors.every((actor) => actor.tree && actor.tree.own[actor.name] &&
      Object.keys(actor.tree.own[actor.name]).length <= Object.keys((now.own || {})[actor.name] || {}).length);
    await sleep(100);
    return isStill && JSON.stringify(await server.rest('GET', '/world.json')) === text &&
      actors.every((actor) => JSON.stringify(sorted(actor.tree)) === JSON.stringify(sorted(now))) && now;
  }, 'agreement', 30000);
  for (const actor of actors) {
    assert.deepStrictEqual(actor.faults, []);
    for (const key of actor.acknowledged) assert.ok(key in tree.own[actor.name], `lost: ${key}`);
    assert.ok(actor.acknowledged.length > rounds / 2, `${actor.acknowledged.length} acknowledged`);
    assert.deepStrictEqual(actor.list, Object.keys(tree.shared).sort((x, y) => (x < y ? -1 : 1)));
  }
  for (const key of Object.keys(byREST)) assert.strictEqual(tree.own.rest[key], byREST[key]);
  assert.ok(tree.count >= actors.reduce((sum, actor) => sum + (actor.counted || 0), 0), 'a committed transaction is lost');
  t.diagnostic(`${actors.map((actor) => actor.phone.connections).join(' and ')} connections`);
});

function sorted(value) {
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}
