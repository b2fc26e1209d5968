// The web examples in a real browser: two tabs, and what they show each other.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { binary, freePort, inside, scratch, sleep, until } = require('./support');

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => fs.existsSync(file));
const { nodePlatform } = inside();
let browser, chat, address, debugging;

before(async () => {
  assert.ok(chromium, 'chromium is needed: make browser');
  chat = spawn('node', [path.resolve(__dirname, '../examples/serve.js'), binary, path.join(scratch, 'chat'), '0', '0']);
  address = await new Promise((done, failed) => {
    let text = '';
    chat.stdout.on('data', (part) => {
      text += part;
      const found = /chat: (\S+)/.exec(text);
      if (found) done(found[1]);
    });
    chat.stderr.on('data', (part) => (text += part));
    chat.on('exit', () => failed(new Error(text)));
  });
  debugging = await freePort();
  browser = spawn(chromium, [
    '--headless', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--remote-debugging-port=${debugging}`, '--remote-allow-origins=*',
    `--user-data-dir=${path.join(scratch, 'chrome')}`, '--window-size=1100,700', 'about:blank',
  ], { stdio: 'ignore' });
  await until(() => ask('/json/version').catch(() => null), 'the browser', 30000);
});
after(() => {
  if (browser) browser.kill('SIGKILL');
  if (chat) chat.kill('SIGTERM');
});

const ask = (target, method = 'GET') => new Promise((done, failed) => {
  http.request({ port: debugging, host: '127.0.0.1', path: target, method }, (answer) => {
    let text = '';
    answer.on('data', (part) => (text += part)).on('end', () => done(JSON.parse(text)));
  }).on('error', failed).end();
});

/** A tab, and what is said to it. */
async function tab(url) {
  const { webSocketDebuggerUrl } = await ask('/json/new?' + encodeURIComponent('about:blank'), 'PUT');
  const waiting = new Map();
  let number = 0;
  let socket;
  await new Promise((done, failed) => {
    socket = nodePlatform().connect_(webSocketDebuggerUrl, {
      open_: done, gone_: failed,
      text_: (text) => {
        const { id, result } = JSON.parse(text);
        if (waiting.has(id)) waiting.get(id)(result);
      },
    });
  });
  const say = (method, params = {}) => new Promise((done) => {
    waiting.set(++number, done);
    socket.send_(JSON.stringify({ id: number, method, params }));
  });
  const run = async (expression) => {
    const { result, exceptionDetails } = await say('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  };
  await say('Page.enable');
  await say('Page.navigate', { url });
  const text = (selector) => run(`(document.querySelector(${JSON.stringify(selector)}) || {}).textContent`);
  return {
    run, text, close: () => socket.close_(),
    shows: (selector, wanted) => until(async () => ((await text(selector)) || '').includes(wanted), `${selector}: ${wanted}`),
    picture: async (file) => fs.writeFileSync(file, Buffer.from((await say('Page.captureScreenshot')).data, 'base64')),
  };
}

const type = (page, form, text) => page.run(`{
  const input = document.querySelector('${form} input');
  input.value = ${JSON.stringify(text)};
  input.dispatchEvent(new Event('input'));
  document.querySelector('${form}').requestSubmit();
}`);

test('two people chat in two tabs', async () => {
  const ana = await tab(`${address}?me=ana&open=ana:bo`);
  const bo = await tab(`${address}?me=bo&open=ana:bo`);
  await ana.shows('#state', 'connected');
  await bo.shows('#state', 'connected');
  await type(ana, '#open', 'bo');
  await ana.shows('#title', 'bo');
  await bo.shows('#title', 'ana');
  await ana.shows('#presence', 'here now');
  await type(ana, '#send', 'Are you coming to the river?');
  await bo.shows('#messages', 'river');
  await ana.shows('#messages', 'read');
  await type(bo, '#send', 'Yes, in ten minutes.');
  await type(bo, '#send', 'wrong window');
  await ana.shows('#messages', 'wrong window');
  await bo.run(`[...document.querySelectorAll('.message')].pop().querySelector('a').click()`);
  await ana.shows('#messages', 'recalled');
  await bo.run(`{
    const input = document.querySelector('#send input');
    input.value = 'I am';
    input.dispatchEvent(new Event('input'));
  }`);
  await ana.shows('#typing', 'bo typing');
  await type(ana, '#open', 'bo, cy');
  await bo.shows('#list', 'ana, bo, cy');
  await sleep(200);
  if (process.env.PICTURES) await ana.picture(path.join(process.env.PICTURES, 'web-chat.png'));
  ana.close();
  bo.close();
});

test('two people hold a call, whose signalling runs through the tree', async () => {
  const calls = address.replace('web-chat', 'webrtc-call');
  const ana = await tab(`${calls}?me=ana`);
  const bo = await tab(`${calls}?me=bo`);
  await ana.shows('#state', 'ready');
  await bo.shows('#state', 'ready');
  await type(ana, '#dial', 'bo');
  await bo.shows('#state', 'ana is calling');
  await bo.run(`document.querySelector('#answer').click()`);
  await ana.shows('#state', 'in a call with bo');
  await bo.shows('#state', 'in a call with ana');
  for (const page of [ana, bo]) {
    await until(() => page.run(`document.querySelector('#theirs').currentTime > 0.3 && document.querySelector('#theirs').videoWidth > 0`), 'moving pictures', 20000);
  }
  if (process.env.PICTURES) await ana.picture(path.join(process.env.PICTURES, 'webrtc-call.png'));
  await bo.run(`document.querySelector('#end').click()`);
  await ana.shows('#state', 'ready');
  await bo.shows('#state', 'ready');
  ana.close();
  bo.close();
});
