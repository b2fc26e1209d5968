#!/usr/bin/env node
// Chooses what private members are called in bundles, and writes names.json. `node names.js [SECONDS]`
//
// A bundle is downloaded gzipped, and which short name stands for which member makes 2 % of that. Nobody can tell
// beforehand which names are best, so they are tried: from those that there are, one change after the other, and
// what does not make the bundle for WeChat larger stays. New members get a name from esbuild until this is run again.
'use strict';
const fs = require('fs');
const path = require('path');
const { bundle, bundles, gzipped } = require('./build');

const file = path.join(__dirname, 'names.json');
const seconds = Number(process.argv[2]) || 60;
const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$'];

/** What a bundle has of other short members, and of short words that may be the names of some. */
const taken = (text) =>
  ['at', 'is', 'of', 'on', ...[...text.matchAll(/\.(\w{1,2})\b|[{,](\w{1,2}):|"(\w{1,2})"/g)].map((match) => match[1] || match[2] || match[3])];

async function choose() {
  let names = JSON.parse(fs.readFileSync(file));
  const used = new Set();
  const forbidden = new Set();
  for (const one of bundles) {
    const made = await bundle(one, names);
    names = { ...names, ...made.names };
    // Under long names private members are none of the words that are found.
    const long = Object.fromEntries(Object.keys(names).map((name) => [name, 'private$' + name]));
    for (const word of taken((await bundle(one, long)).text.toString())) forbidden.add(word);
  }
  const plain = await bundle(bundles[0], {});
  Object.keys(plain.names).forEach((name) => used.add(name));
  const members = [...used];
  // Stand-ins that are found again: no other name has such letters.
  const marks = Object.fromEntries(members.map((name, i) => [name, String.fromCharCode(0x4e00 + i)]));
  const { text } = await bundle(bundles[0], marks);
  // Members stand at the odd places.
  const parts = text.toString().split(/([\u4e00-\u9fff])/).map((part, i) => (i % 2 ? part.charCodeAt(0) - 0x4e00 : part));
  const size = (chosen) => gzipped(parts.map((part, i) => (i % 2 ? chosen[part] : part)).join(''));
  const rest = new Set(Object.keys(names).filter((name) => !used.has(name)).map((name) => names[name]));
  const free = [...letters, ...letters.flatMap((a) => letters.map((b) => a + b))].filter((name) => !forbidden.has(name) && !rest.has(name));
  const count = (i) => parts.filter((part, place) => place % 2 && part === i).length;
  const counts = members.map((_, i) => count(i));
  // The shortest for those that stand most often, if there is no better beginning.
  const isNew = members.some((name) => !names[name] || forbidden.has(names[name])) || process.argv.includes('--anew');
  const order = [...counts.keys()].sort((a, b) => counts[b] - counts[a]);
  let chosen = members.map((name, i) => (isNew ? free[order.indexOf(i)] : names[name]));
  let best = size(chosen);
  console.log(`${members.length} private members, ${best} bytes`);
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const tried = chosen.slice();
    const i = Math.floor(Math.random() * tried.length);
    const name = Math.random() < 0.5 ? free[Math.floor(Math.random() * free.length)] : tried[Math.floor(Math.random() * tried.length)];
    const other = tried.indexOf(name);
    if (other >= 0) tried[other] = tried[i];
    tried[i] = name;
    const now = size(tried);
    if (now > best) continue;
    best = now;
    chosen = tried;
  }
  members.forEach((name, i) => (names[name] = chosen[i]));
  fs.writeFileSync(file, JSON.stringify(Object.fromEntries(Object.entries(names).sort()), null, 2) + '\n');
  console.log(`${best} bytes`);
}

choose().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
