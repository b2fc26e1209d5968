// Starts the server in dev mode with the examples' rules, and the examples' pages beside it.
// node serve.js BINARY DATA [PORT]
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');

const [binary, data, port = '9000'] = process.argv.slice(2);
const sdk = path.resolve(__dirname, '..');
const pagesPort = Number(port) + 1;
const server = spawn(binary, ['serve', '--dev', '--port', port, '--data', data], { stdio: ['ignore', 'ignore', 'inherit'] });
server.on('exit', (code) => process.exit(code || 0));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill('SIGTERM'));

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
      if (answer.statusCode !== 200) throw new Error(`the rules were refused: ${answer.statusCode}`);
      console.log(`chat: http://127.0.0.1:${pagesPort}/examples/web-chat/`);
      console.log(`call: http://127.0.0.1:${pagesPort}/examples/webrtc-call/`);
    });
  request.on('error', (error) => {
    if (!tries) throw error;
    setTimeout(() => install(tries - 1), 100);
  });
  request.end(rules());
}
install(100);

function fromServer({ method, url, headers }, response) {
  http.request({ port, host: '127.0.0.1', method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  }).on('error', () => response.writeHead(502).end('the server does not answer\n')).end();
}

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css' };
http.createServer((request, response) => {
  // The SDK comes from the server, as behind a proxy that has both under one name.
  if (request.url.startsWith('/.sdk/')) return fromServer(request, response);
  let file = path.join(sdk, path.normalize(decodeURIComponent(request.url.split('?')[0])));
  if (file.endsWith('/')) file += 'index.html';
  if (!file.startsWith(sdk + path.sep) || !fs.existsSync(file) || !fs.statSync(file).isFile()) {
    response.writeHead(404).end('not here\n');
    return;
  }
  response.writeHead(200, { 'content-type': types[path.extname(file)] || 'application/octet-stream' });
  fs.createReadStream(file).pipe(response);
}).listen(pagesPort, '127.0.0.1');
