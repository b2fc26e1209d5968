// What is shipped: that it is what the source makes, how large it is, and that its types are right.
'use strict';
const { test } = require('node:test');
const assert = require('node:assert');
const { execFileSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const { scratch } = require('./support');

const sdk = path.resolve(__dirname, '..');
const dist = path.join(sdk, 'dist');
const tsc = (...flags) => {
  try {
    execFileSync('tsc', flags, { cwd: sdk, encoding: 'utf8' });
  } catch (error) {
    assert.fail(error.stdout || error.message);
  }
};

test('the source and the types that programs see are right', () => {
  tsc('-p', '.');
  tsc('--noEmit', '--strict', '--target', 'es2020', '--module', 'commonjs', '--lib', 'es2020,dom',
    'test/types/wilddog-program.ts', 'test/types/firebase-program.ts');
});

test('dist is what the source builds', () => {
  const made = path.join(scratch, 'dist');
  execFileSync('node', ['build.js', made], { cwd: sdk, stdio: 'pipe' });
  const names = fs.readdirSync(made).sort();
  assert.deepStrictEqual(fs.readdirSync(dist).sort(), names);
  for (const name of names) {
    assert.ok(fs.readFileSync(path.join(made, name)).equals(fs.readFileSync(path.join(dist, name))), `${name} is old: run make sdk`);
  }
});

test('integrity hashes are those of the files', () => {
  const { version, files } = JSON.parse(fs.readFileSync(path.join(dist, 'integrity.json')));
  assert.strictEqual(version, JSON.parse(fs.readFileSync(path.join(sdk, 'package.json'))).version);
  for (const name of Object.keys(files)) {
    const hash = crypto.createHash('sha384').update(fs.readFileSync(path.join(dist, name))).digest('base64');
    assert.strictEqual(files[name], 'sha384-' + hash);
  }
});

test('what the server holds gzipped is dist', () => {
  const folder = path.join(sdk, 'gzip');
  const names = fs.readdirSync(dist).filter((name) => /js$/.test(name));
  assert.deepStrictEqual(fs.readdirSync(folder).sort(), names.map((name) => name + '.gz').sort());
  for (const name of names) {
    assert.ok(zlib.gunzipSync(fs.readFileSync(path.join(folder, name + '.gz'))).equals(fs.readFileSync(path.join(dist, name))), name);
  }
});

test('the bundle for WeChat is at most 12 KB, minified and gzipped', () => {
  const size = zlib.gzipSync(fs.readFileSync(path.join(dist, 'dhole-weapp.min.js')), { level: 9 }).length;
  console.log(`# dhole-weapp.min.js: ${size} bytes gzipped`);
  assert.ok(size <= 12288, `${size} bytes: node sdk-js/names.js finds better names`);
});

test('package.json names files that are there, for mini-programs too', () => {
  const { exports: entries, miniprogram, main, module: esm, types } = JSON.parse(fs.readFileSync(path.join(sdk, 'package.json')));
  const files = [main, esm, types, miniprogram];
  const walk = (entry) => (typeof entry === 'string' ? files.push(entry) : Object.values(entry).forEach(walk));
  walk(entries);
  for (const file of files) assert.ok(fs.existsSync(path.join(sdk, file)), file);
});

/** The names that a declaration gives to an interface or a module. */
function declared(file, name) {
  const text = fs.readFileSync(path.join(sdk, 'types', file), 'utf8');
  const body = new RegExp(`interface ${name}[^{]*\\{([\\s\\S]*?)\\n(?:  )?\\}`).exec(text)[1];
  const indent = file === 'wilddog.d.ts' ? '    ' : '  ';
  return [...new Set([...body.matchAll(new RegExp(`^${indent}(?:readonly )?(\\w+)\\??[(:]`, 'gm'))].map((match) => match[1]))];
}

test('every member that is declared is there', () => {
  const wilddog = require(path.join(dist, 'dhole-node.min.js'));
  const app = wilddog.initializeApp({ syncURL: 'ws://127.0.0.1:1' });
  const ref = app.sync();
  ref.goOffline();
  for (const name of [...declared('wilddog.d.ts', 'Query'), ...declared('wilddog.d.ts', 'Reference'), ...declared('wilddog.d.ts', 'Sync')]) {
    assert.ok(name in ref, `Reference.${name}`);
  }
  for (const name of declared('wilddog.d.ts', 'App')) assert.ok(name in app, `App.${name}`);
  for (const name of declared('common.d.ts', 'Auth')) assert.ok(name in app.auth(), `Auth.${name}`);
  for (const name of declared('common.d.ts', 'OnDisconnect')) assert.ok(name in ref.child('x').onDisconnect(), name);
  app.auth().signInWithToken('t', 'u1');
  for (const name of declared('common.d.ts', 'User')) assert.ok(name in app.auth().currentUser, `User.${name}`);
  assert.strictEqual(JSON.parse(JSON.stringify(app.auth().currentUser)).uid, 'u1');
  app.auth().signOut();
  const firebase = require(path.join(dist, 'dhole-firebase-node.min.js'));
  const text = fs.readFileSync(path.join(sdk, 'types/firebase.d.ts'), 'utf8');
  for (const [, name] of text.matchAll(/^export (?:function|const) (\w+)/gm)) assert.ok(name in firebase, name);
  const at = firebase.getDatabase(firebase.initializeApp({ databaseURL: 'ws://127.0.0.1:1' })).ref('a');
  firebase.goOffline(firebase.getDatabase());
  for (const name of [...declared('firebase.d.ts', 'Query'), ...declared('firebase.d.ts', 'Reference')]) assert.ok(name in at, name);
});
