// The example mini-program, its pages run on two phones against the built server with the rules of rules/im.json.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const path = require('path');
const { root, startServer, until } = require('./support');
const { Phone, killAll } = require('./wx');

const project = path.join(root, 'sdk-js/examples/miniprogram-chat');
let server;

before(async () => {
  server = await startServer();
  const text = fs.readFileSync(path.join(root, 'rules/im.json'), 'utf8').replace(/^\s*\/\/.*$/gm, '');
  const rules = JSON.parse(text);
  await server.rest('PUT', '/.settings/rules.json', rules, { authorization: 'Bearer owner' });
});
after(() => {
  killAll();
  return server.stop();
});

/** A phone on which the mini-program runs as somebody. */
class Programme {
  constructor(uid) {
    this.phone = new Phone();
    const phone = this.phone;
    phone.extraGlobals = {
      App: (app) => (this.app = app),
      getApp: () => this.app,
      Page: (page) => (this.page = page),
    };
    phone.load(path.join(project, 'config.js'));
    Object.assign(phone.load(path.join(project, 'config.js')), { server: server.url, uid });
    phone.load(path.join(project, 'app.js'));
    this.app.onLaunch();
  }

  open(name, options = {}) {
    this.phone.load(path.join(project, `pages/${name}/${name}.js`));
    const page = Object.create(this.page);
    Object.assign(page, { data: JSON.parse(JSON.stringify(this.page.data)) });
    page.setData = (values) => Object.assign(page.data, JSON.parse(JSON.stringify(values)));
    page.onLoad(options);
    if (page.onShow) page.onShow();
    return page;
  }
}

test('the project is whole', () => {
  const app = JSON.parse(fs.readFileSync(path.join(project, 'app.json')));
  for (const page of app.pages) {
    for (const type of ['js', 'json', 'wxml', 'wxss']) assert.ok(fs.existsSync(path.join(project, `${page}.${type}`)), `${page}.${type}`);
    // Every method that a page's markup names is there.
    const markup = fs.readFileSync(path.join(project, `${page}.wxml`), 'utf8');
    const code = fs.readFileSync(path.join(project, `${page}.js`), 'utf8');
    for (const [, method] of markup.matchAll(/bind\w+="(\w+)"/g)) assert.match(code, new RegExp(`^  ${method}\\(`, 'm'), method);
  }
  for (const name of ['sitemap.json', 'project.config.json']) JSON.parse(fs.readFileSync(path.join(project, name)));
  const own = fs.readFileSync(path.join(project, 'lib/dhole-weapp.min.js'));
  assert.ok(own.equals(fs.readFileSync(path.join(root, 'sdk-js/dist/dhole-weapp.min.js'))), 'an old SDK: run make sdk');
});

test('two phones chat: unread counts, typing, presence, receipts, recall, paging, groups', async () => {
  const ana = new Programme('ana');
  const bo = new Programme('bo');
  const anaList = ana.open('list');
  const boList = bo.open('list');
  await until(() => anaList.data.isConnected && boList.data.isConnected);
  anaList.name({ detail: { value: 'bo' } });
  await anaList.start();
  assert.strictEqual(ana.phone.route, '/pages/chat/chat?id=ana%3Abo');
  await until(() => boList.data.list.length === 1 && boList.data.list[0].title === 'ana');
  const anaChat = ana.open('chat', { id: 'ana%3Abo' });
  await anaChat.loaded;
  await until(() => ana.app.messenger.conversations['ana:bo'].members.length === 2);
  anaChat.input({ detail: { value: 'hello' } });
  const boChat0 = bo.open('chat', { id: 'ana%3Abo' });
  await until(() => boChat0.data.typing === 'ana typing …');
  await until(() => boChat0.data.presence === 'here now');
  boChat0.onHide();
  boChat0.onUnload();
  await anaChat.send();
  assert.strictEqual(anaChat.data.messages[0].text, 'hello');
  await until(() => boList.data.list[0].unread === 1 && boList.data.list[0].last === 'hello');
  assert.strictEqual(anaChat.data.messages[0].read, false);
  const boChat = bo.open('chat', { id: 'ana%3Abo' });
  await until(() => boList.data.list[0].unread === 0);
  await until(() => anaChat.data.messages[0].read);
  // Recall.
  anaChat.press({ currentTarget: { dataset: { id: anaChat.data.messages[0].id } } });
  await until(() => boChat.data.messages[0].text === 'recalled');
  // Offline: it shows at once, and arrives later.
  bo.phone.network(false);
  boChat.input({ detail: { value: 'from the tunnel' } });
  boChat.send();
  assert.strictEqual(boChat.data.messages[boChat.data.messages.length - 1].text, 'from the tunnel');
  bo.phone.network(true);
  await until(() => anaChat.data.messages.some((message) => message.text === 'from the tunnel'));
  // History.
  for (let i = 0; i < 25; i++) await ana.app.messenger.send('ana:bo', `line ${i}`);
  await until(() => boChat.data.messages.length === 20 && !boChat.data.isAll);
  boChat.more();
  await until(() => boChat.data.messages.length === 27 && boChat.data.isAll);
  assert.deepStrictEqual(boChat.data.messages.slice(2).map((message) => message.text), Array.from({ length: 25 }, (_, i) => `line ${i}`));
  // A group.
  anaList.name({ detail: { value: 'bo, cy' } });
  await anaList.start();
  await until(() => boList.data.list.length === 2 && boList.data.list.some((one) => one.kind === 'group' && one.title === 'bo, cy'));
  const id = boList.data.list.find((one) => one.kind === 'group').id;
  await bo.app.messenger.send(id, 'hi all');
  await until(() => anaList.data.list.some((one) => one.id === id && one.unread === 1));
  assert.deepStrictEqual([...ana.phone.foreignUses, ...bo.phone.foreignUses], []);
});
