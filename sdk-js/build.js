#!/usr/bin/env node
// Builds dist/ with Debian's esbuild and terser, and prints how large each bundle is. `node build.js DIR` builds elsewhere.
'use strict';
const { execFileSync } = require('child_process');
const Module = require('module');
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const crypto = require('crypto');

const here = __dirname;
const out = path.resolve(process.argv[2] || path.join(here, 'dist'));
const { version } = JSON.parse(fs.readFileSync(path.join(here, 'package.json')));
// Debian keeps its modules where Node does not look by itself.
process.env.NODE_PATH = '/usr/share/nodejs';
Module._initPaths();
const { minify } = require('terser');

const bundles = [
  // Wilddog's API, a file for each platform to copy.
  ['dhole-weapp', 'wilddog', 'wx', 'cjs'],
  ['dhole-alipay', 'wilddog', 'my', 'cjs'],
  ['dhole-douyin', 'wilddog', 'tt', 'cjs'],
  ['dhole-baidu', 'wilddog', 'swan', 'cjs'],
  ['dhole-qq', 'wilddog', 'qq', 'cjs'],
  ['dhole-kuaishou', 'wilddog', 'ks', 'cjs'],
  ['dhole-uni', 'wilddog', 'uni', 'cjs'],
  ['dhole-taro', 'wilddog', 'taro', 'cjs'],
  ['dhole-web', 'wilddog', 'web', 'iife', 'wilddog'],
  ['dhole-node', 'wilddog', 'node', 'cjs'],
  // Firebase's style.
  ['dhole-firebase-weapp', 'firebase', 'wx', 'cjs'],
  ['dhole-firebase-web', 'firebase', 'web', 'iife', 'firebase'],
  ['dhole-firebase', 'firebase', 'web', 'esm'],
  ['dhole-firebase-node', 'firebase', 'node', 'cjs'],
];

async function build() {
  fs.mkdirSync(out, { recursive: true });
  const integrity = {};
  for (const [name, entry, platform, format, global] of bundles) {
    const file = name + (format === 'esm' ? '.min.mjs' : '.min.js');
    const flags = [
      path.join(here, 'src', entry + '.ts'), '--bundle', '--minify', '--mangle-props=_$', '--target=es2018',
      '--charset=utf8', '--platform=neutral', '--main-fields=', `--format=${format}`,
      `--define:PLATFORM="${platform}"`, `--define:VERSION="${version}"`,
      '--external:crypto', '--external:http', '--external:https', '--external:@tarojs/taro',
      `--outfile=${path.join(out, file)}`,
      '--log-level=warning',
    ];
    if (global) flags.push(`--global-name=${global}`);
    execFileSync('esbuild', flags, { stdio: 'inherit' });
    const { code } = await minify(fs.readFileSync(path.join(out, file), 'utf8'), {
      compress: { passes: 3, unsafe: true, pure_getters: true, ecma: 2018, unsafe_arrows: true, keep_fargs: false },
      mangle: { toplevel: !global }, module: format === 'esm', ecma: 2018, toplevel: !global,
    });
    const text = Buffer.from(`/* Dhole SDK ${version} (${platform}). Apache-2.0. */\n${code}\n`);
    fs.writeFileSync(path.join(out, file), text);
    integrity[file] = 'sha384-' + crypto.createHash('sha384').update(text).digest('base64');
    const gzipped = zlib.gzipSync(text, { level: 9 }).length;
    console.log(`${file.padEnd(32)} ${String(text.length).padStart(7)} bytes, gzipped ${String(gzipped).padStart(6)}`);
  }
  // The example is a whole project, so it holds the SDK too.
  if (out === path.join(here, 'dist')) {
    const library = path.join(here, 'examples/miniprogram-chat/lib');
    fs.mkdirSync(library, { recursive: true });
    fs.copyFileSync(path.join(out, 'dhole-weapp.min.js'), path.join(library, 'dhole-weapp.min.js'));
  }
  fs.writeFileSync(path.join(out, 'integrity.json'), JSON.stringify({ version, files: integrity }, null, 2) + '\n');
}

build().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
