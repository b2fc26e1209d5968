#!/usr/bin/env node
// Builds dist/ with Debian's esbuild and terser, and prints how large each bundle is. `node build.js DIR` builds elsewhere.
'use strict';
const { execFileSync } = require('child_process');
const Module = require('module');
const fs = require('fs');
const os = require('os');
const path = require('path');
const zlib = require('zlib');
const crypto = require('crypto');

const here = __dirname;
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

/** What private members, whose names end in `_`, are called in bundles: `names.js` has chosen so that they gzip well. */
const chosenNames = JSON.parse(fs.readFileSync(path.join(here, 'names.json')));

/** One bundle's text, and what its private members are called in it. */
async function bundle([, entry, platform, format, global], names = chosenNames) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dhole-build-'));
  const [cache, file] = ['names.json', 'bundle.js'].map((name) => path.join(folder, name));
  try {
    fs.writeFileSync(cache, JSON.stringify(names));
    execFileSync('esbuild', [
      path.join(here, 'src', entry + '.ts'), '--bundle', '--minify', '--mangle-props=_$', `--mangle-cache=${cache}`,
      '--target=es2018', '--charset=utf8', '--platform=neutral', '--main-fields=', `--format=${format}`,
      `--define:PLATFORM="${platform}"`, `--define:VERSION="${version}"`,
      '--external:crypto', '--external:http', '--external:https', '--external:@tarojs/taro',
      `--outfile=${file}`, '--log-level=warning', ...(global ? [`--global-name=${global}`] : []),
    ], { stdio: 'inherit' });
    const { code } = await minify(fs.readFileSync(file, 'utf8'), {
      compress: {
        passes: 3, unsafe: true, pure_getters: true, ecma: 2018, unsafe_arrows: true, keep_fargs: false,
      },
      // A file of CommonJS or of a page has a scope of its own, as a module has, but for the one name that a page is given.
      mangle: { toplevel: !global }, module: !global, ecma: 2018, toplevel: !global, format: { wrap_func_args: false },
    });
    return {
      text: Buffer.from(`/* Dhole SDK ${version}, Apache-2.0 */\n${code}\n`),
      names: JSON.parse(fs.readFileSync(cache)),
    };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const gzipped = (text) => zlib.gzipSync(text, { level: 9 }).length;

async function build(out) {
  fs.mkdirSync(out, { recursive: true });
  const integrity = {};
  for (const one of bundles) {
    const file = one[0] + (one[3] === 'esm' ? '.min.mjs' : '.min.js');
    const { text } = await bundle(one);
    fs.writeFileSync(path.join(out, file), text);
    integrity[file] = 'sha384-' + crypto.createHash('sha384').update(text).digest('base64');
    console.log(`${file.padEnd(32)} ${String(text.length).padStart(7)} bytes, gzipped ${String(gzipped(text)).padStart(6)}`);
  }
  fs.writeFileSync(path.join(out, 'integrity.json'), JSON.stringify({ version, files: integrity }, null, 2) + '\n');
}

/** What the server holds: dist gzipped. */
function gzipForServer(out) {
  const folder = path.join(here, 'gzip');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder);
  for (const name of fs.readdirSync(out).filter((file) => /js$/.test(file))) {
    fs.writeFileSync(path.join(folder, name + '.gz'), zlib.gzipSync(fs.readFileSync(path.join(out, name)), { level: 9 }));
  }
}

/** The example is a whole project, so it holds the SDK too. */
function copyToExample(out) {
  const library = path.join(here, 'examples/miniprogram-chat/lib');
  fs.mkdirSync(library, { recursive: true });
  fs.copyFileSync(path.join(out, 'dhole-weapp.min.js'), path.join(library, 'dhole-weapp.min.js'));
}

module.exports = { bundle, bundles, gzipped, version };

if (require.main === module) {
  const dist = path.join(here, 'dist');
  const out = path.resolve(process.argv[2] || dist);
  build(out).then(() => {
    if (out !== dist) return;
    gzipForServer(out);
    copyToExample(out);
  }).catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
