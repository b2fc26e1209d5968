// What the tests share: a server of their own, REST, chance that can be played again, and ways to wait.
'use strict';
const { spawn, execFileSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');

const root = path.resolve(__dirname, '../..');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dhole-sdk-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));

/** The inside of the SDK, not minified. */
function inside() {
  const file = path.join(scratch, 'inside.js');
  if (!fs.existsSync(file)) {
    execFileSync('esbuild', [
      path.join(__dirname, 'inside.ts'), '--bundle', '--platform=node', '--format=cjs', '--define:PLATFORM="node"',
      '--define:VERSION="0"', `--outfile=${file}`, '--log-level=error',
    ]);
  }
  return require(file);
}

/** A bundle of `dist`, or with SDK=source one of the same source that is not minified. */
function bundle(name) {
  if (process.env.SDK !== 'source') return path.join(root, 'sdk-js/dist', name);
  const file = path.join(scratch, name.replace('.min', ''));
  if (fs.existsSync(file)) return file;
  const { bundles, version } = require('../build');
  const [, entry, platform, format, global] = bundles.find((one) => name.startsWith(one[0] + '.'));
  execFileSync('esbuild', [
    path.join(root, 'sdk-js/src', entry + '.ts'), '--bundle', '--target=es2018', '--charset=utf8', '--platform=neutral', '--main-fields=',
    `--format=${format}`, `--define:PLATFORM="${platform}"`, `--define:VERSION="${version}"`,
    '--external:crypto', '--external:http', '--external:https', '--external:@tarojs/taro', `--outfile=${file}`, '--log-level=error',
    ...(global ? [`--global-name=${global}`] : []),
  ]);
  return file;
}

const binary = process.env.DHOLE_BINARY || ['release', 'debug']
  .map((kind) => path.join(root, '.build', kind, 'dhole')).find((file) => fs.existsSync(file));

const freePort = () => new Promise((done) => {
  const server = net.createServer();
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

/** Starts the built server, in dev mode unless told otherwise. */
async function startServer({ port, data, flags = [], isLocked = false, env = {} } = {}) {
  port = port || await freePort();
  data = data || fs.mkdtempSync(path.join(scratch, 'data-'));
  const child = spawn(
    binary, ['serve', ...(isLocked ? [] : ['--dev']), '--port', String(port), '--data', data, ...flags],
    { stdio: 'pipe', env: { ...process.env, ...env } });
  let log = '';
  child.stdout.on('data', (text) => (log += text));
  child.stderr.on('data', (text) => (log += text));
  const ended = new Promise((done) => child.on('exit', done));
  for (let i = 0; ; i++) {
    if (await rest(port, 'GET', '/.health').catch(() => null)) break;
    if (i > 200) throw new Error('the server did not start: ' + log);
    await sleep(50);
  }
  const server = {
    port, data, url: `ws://127.0.0.1:${port}`,
    rest: (method, target, body, headers) => rest(port, method, target, body, headers),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
    log: () => log,
  };
  process.on('exit', () => child.kill('SIGKILL'));
  return server;
}

/** One request; the answer's JSON. */
function rest(port, method, target, body, headers = {}) {
  return new Promise((done, failed) => {
    const request = http.request({ port, host: '127.0.0.1', method, path: target, headers, agent }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        try {
          const value = text ? JSON.parse(text) : null;
          if (answer.statusCode >= 400) failed(new Error(`${answer.statusCode} ${text}`));
          else done(target === '/.health' ? value || true : value);
        } catch (error) {
          done(text);
        }
      });
    });
    request.on('error', failed);
    if (body !== undefined) request.write(JSON.stringify(body));
    request.end();
  });
}
const agent = new http.Agent({ keepAlive: true });

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Waits until something holds. */
async function until(holds, what = 'what was waited for', milliseconds = 30000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error('did not come: ' + what);
    await sleep(10);
  }
}

/** Numbers from a seed, which is printed so that a run can be played again with SEED=…. */
function chance(t, given) {
  let seed = given || Number(process.env.SEED) || (Math.random() * 2 ** 32) >>> 0;
  t.diagnostic(`SEED=${seed}`);
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (count) => Math.floor(next() * count),
    of: (list) => list[Math.floor(next() * list.length)],
  };
}

module.exports = { bundle, root, scratch, inside, startServer, rest, sleep, until, chance, freePort, binary };
