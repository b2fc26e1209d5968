// `make demo`: what examples/serve.js prints answers, and what the pages need is there.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');
const path = require('path');
const { binary, rest, root, scratch } = require('./support');

const serve = (data, ...ports) =>
  spawn('node', [path.join(root, 'sdk-js/examples/serve.js'), binary, path.join(scratch, data), ...ports]);

test('serve.js prints addresses that answer, with the SDK of the server, and its rules let people in', async () => {
  const demo = serve('demo', '0', '0');
  const ended = new Promise((done) => demo.on('exit', done));
  try {
    let log = '';
    const [chat, call] = await new Promise((done, failed) => {
      const read = (part) => {
        log += part;
        const found = /chat: (\S+)\s+call: (\S+)/.exec(log);
        if (found) done(found.slice(1));
      };
      demo.stdout.on('data', read);
      demo.stderr.on('data', (part) => (log += part));
      demo.on('exit', () => failed(new Error(log)));
      setTimeout(() => failed(new Error('nothing was printed: ' + log)), 60000).unref();
    });
    for (const page of [chat, call]) {
      const { port: pagesPort, pathname } = new URL(page);
      const text = await rest(pagesPort, 'GET', pathname);
      const scripts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => new URL(match[1], page).pathname);
      assert.ok(scripts.length >= 3, text);
      for (const script of scripts) assert.match(await rest(pagesPort, 'GET', script), script.endsWith('.css') ? /\{/ : /const |"use strict"/, script);
      const own = fs.readFileSync(path.join(root, 'sdk-js/dist/dhole-web.min.js'), 'utf8');
      assert.ok(scripts.includes('/.sdk/dhole-web.min.js'));
      assert.strictEqual(await rest(pagesPort, 'GET', '/.sdk/dhole-web.min.js'), own);
      assert.strictEqual(await rest(pagesPort, 'GET', '/../Makefile'), 'not here\n');
    }
    const port = Number(/\d+/.exec(await rest(new URL(chat).port, 'GET', '/server.js'))[0]);
    const unsigned = [{ alg: 'none', typ: 'JWT' }, { sub: 'ana', user_id: 'ana', iat: 0 }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.';
    assert.strictEqual(await rest(port, 'PUT', `/presence/ana.json?auth=${unsigned}`, true), true);
    await assert.rejects(rest(port, 'PUT', `/presence/bo.json?auth=${unsigned}`, true), /^Error: 401/);
  } finally {
    demo.kill('SIGTERM');
    await ended;
  }
});

test('serve.js says so when the port of the pages is taken, and leaves no server behind', async () => {
  const taken = net.createServer();
  await new Promise((done) => taken.listen(0, '127.0.0.1', done));
  const demo = serve('taken', '0', String(taken.address().port));
  let log = '';
  demo.stderr.on('data', (part) => (log += part));
  // The output ends when nobody is left who could write there.
  await new Promise((done) => demo.on('close', done));
  taken.close();
  assert.strictEqual(demo.exitCode, 1);
  assert.match(log, /the pages have no port/);
});
