// `make demo`: what examples/serve.js prints answers, and what the pages need is there.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { binary, freePort, rest, root, scratch } = require('./support');

test('serve.js prints addresses that answer, with the SDK of the server, and its rules let people in', async () => {
  const port = await freePort();
  const demo = spawn('node', [path.join(root, 'sdk-js/examples/serve.js'), binary, path.join(scratch, 'demo'), String(port)]);
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
      for (const script of scripts) assert.ok((await rest(pagesPort, 'GET', script)).length > 500, script);
      const own = fs.readFileSync(path.join(root, 'sdk-js/dist/dhole-web.min.js'), 'utf8');
      assert.ok(scripts.includes('/.sdk/dhole-web.min.js'));
      assert.strictEqual(await rest(pagesPort, 'GET', '/.sdk/dhole-web.min.js'), own);
      assert.strictEqual(await rest(pagesPort, 'GET', '/../Makefile'), 'not here\n');
    }
    const unsigned = [{ alg: 'none', typ: 'JWT' }, { sub: 'ana', user_id: 'ana', iat: 0 }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.';
    assert.strictEqual(await rest(port, 'PUT', `/presence/ana.json?auth=${unsigned}`, true), true);
    await assert.rejects(rest(port, 'PUT', `/presence/bo.json?auth=${unsigned}`, true), /^Error: 401/);
  } finally {
    demo.kill('SIGTERM');
    await ended;
  }
});
