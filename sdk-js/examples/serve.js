// Starts the server in dev mode with the examples' rules, and the examples' pages beside it.
// node serve.js BINARY DATA [PORT [PAGES_PORT]]: the pages are at the next port, and 0 takes any that is free.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');

const [binary, data, wantedPort = '9000', wantedPagesPort = String(Number(wantedPort) && Number(wantedPort) + 1)] = process.argv.slice(2);
const sdk = path.resolve(__dirname, '..');
const server = spawn(binary, ['serve', '--dev', '--port', wantedPort, '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
let port = 0;
server.on('exit', (code) => process.exit(code || 0));
server.on('error', (error) => stop(`${binary} does not start: ${error.message}`));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill('SIGTERM'));

function stop(text) {
  console.error(text);
  process.exitCode = 1;
  server.removeAllListeners('exit');
  server.kill('SIGTERM');
  pages.close();
}

/** The first line that the server prints ends with its port. */
let printed = '';
server.stdout.on('data', (part) => {
  printed += part;
  const found = !port && /^.*:(\d+)\s*$/m.exec(printed);
  if (!found) return;
  port = Number(found[1]);
  install(100);
});

/** The rules of messengers and of calls. */
function rules() {
  const shipped = (name) =>
    JSON.parse(fs.readFileSync(path.join(sdk, `../rules/${name}.json`), 'utf8').replace(/^\s*\/\/.*$/gm, '')).rules;
  return JSON.stringify({ rules: { ...shipped('im'), ...shipped('webrtc') } });
}

function install(tries) {
  const request = http.request(
    { port, host: '127.0.0.1', path: '/.settings/rules.json', method: 'PUT', headers: { authorization: 'Bearer owner' } },
    (answer) => {
      answer.resume();
      if (answer.statusCode === 200) pages.listen(Number(wantedPagesPort), '127.0.0.1');
      else stop(`the rules were refused: ${answer.statusCode}`);
    });
  request.on('error', (error) => {
    if (tries) setTimeout(() => install(tries - 1), 100);
    else stop(error.message);
  });
  request.end(rules());
}

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css' };

/** The SDK comes from the server, as behind a proxy that has both under one name. */
function fromServer({ method, url, headers }, response) {
  http.request({ port, host: '127.0.0.1', method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  }).on('error', () => response.writeHead(502).end('the server does not answer\n')).end();
}

const pages = http.createServer((request, response) => {
  if (request.url.startsWith('/.sdk/')) return fromServer(request, response);
  if (request.url === '/server.js') {
    response.writeHead(200, { 'content-type': types['.js'], 'cache-control': 'no-store' }).end(`const serverPort = ${port};\n`);
    return;
  }
  let file = path.join(sdk, path.normalize(decodeURIComponent(request.url.split('?')[0])));
  if (file.endsWith('/')) file += 'index.html';
  if (!file.startsWith(sdk + path.sep) || !fs.existsSync(file) || !fs.statSync(file).isFile()) {
    response.writeHead(404).end('not here\n');
    return;
  }
  response.writeHead(200, { 'content-type': types[path.extname(file)] || 'application/octet-stream' });
  fs.createReadStream(file).pipe(response);
});
pages.on('error', (error) => stop(`the pages have no port ${wantedPagesPort}, try PORT=9100 make demo: ${error.message}`));
pages.on('listening', () => {
  const address = `http://127.0.0.1:${pages.address().port}/examples`;
  console.log(`chat: ${address}/web-chat/`);
  console.log(`call: ${address}/webrtc-call/`);
});
