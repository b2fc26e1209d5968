// Each platform's bundle in a bare context with only that platform's global, against the built server.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const http = require('http');
const { bundle, startServer, until } = require('./support');
const { killAll } = require('./wx');
const { OtherPhone } = require('./platforms');

const platforms = [
  ['my', 'dhole-alipay.min.js', 'Alipay'], ['oldMy', 'dhole-alipay.min.js', 'Alipay with one socket'], ['tt', 'dhole-douyin.min.js', 'Douyin'],
  ['swan', 'dhole-baidu.min.js', 'Baidu'], ['qq', 'dhole-qq.min.js', 'QQ'], ['ks', 'dhole-kuaishou.min.js', 'Kuaishou'],
  ['uni', 'dhole-uni.min.js', 'uni-app'], ['Taro', 'dhole-taro.min.js', 'Taro'],
];
let server, codes;

before(async () => {
  // Who knows the platforms' users; for the server it is WeChat.
  codes = http.createServer((request, response) => {
    const code = new URL(request.url, 'http://x').searchParams.get('js_code');
    response.end(JSON.stringify({ openid: `open-${code}`, session_key: 'key' }));
  });
  await new Promise((done) => codes.listen(0, '127.0.0.1', done));
  server = await startServer({
    env: { DHOLE_WECHAT_SECRET: 'hush' }, flags: ['--wechat-appid', 'wx1', '--wechat-url', `http://127.0.0.1:${codes.address().port}`],
  });
});
after(async () => {
  killAll();
  codes.close();
  await server.stop();
});

for (const [kind, file, name] of platforms) {
  test(`${name}: a round trip, cuts, the background, and a restart`, async () => {
    const phone = new OtherPhone(kind, { backgroundMilliseconds: 20 });
    const start = () => phone.load(bundle(file)).initializeApp({ syncURL: server.url, keepWrites: true });
    const sync = start().sync();
    const at = `on-${kind}`;
    const values = [];
    const connected = [];
    const last = () => values[values.length - 1];
    sync.ref(at).on('value', (snapshot) => values.push(snapshot.val()));
    sync.child('.info/connected').on('value', (snapshot) => connected.push(snapshot.val()));
    await sync.ref(at).set('from the program, 豺');
    assert.strictEqual(await server.rest('GET', `/${at}.json`), 'from the program, 豺');
    await server.rest('PUT', `/${at}.json`, 'from outside, 豺');
    await until(() => last() === 'from outside, 豺');
    // A cut, a network that goes and comes, and a stay in the background: what happens meanwhile is heard of.
    phone.cut();
    await until(() => connected.filter((one) => one).length === 2, 'back after a cut');
    phone.network(false);
    await server.rest('PUT', `/${at}.json`, 2);
    phone.network(true);
    await until(() => last() === 2);
    phone.hide();
    await until(() => !phone.sockets.size, 'cut in the background');
    await server.rest('PUT', `/${at}.json`, 3);
    phone.show();
    await until(() => last() === 3);
    // A write that waits when the program is killed is made by the next.
    phone.network(false);
    sync.ref(at).set(4);
    await until(() => phone.storage.size, 'kept');
    phone.restart();
    phone.isConnected = true;
    const again = start().sync();
    await until(async () => (await server.rest('GET', `/${at}.json`)) === 4, 'written by the next');
    const outcome = await again.ref(at).transaction((value) => value + 1);
    assert.deepStrictEqual([outcome.committed, outcome.snapshot.val()], [true, 5]);
    assert.deepStrictEqual(phone.foreignUses, [], 'nothing but the platform was touched');
  });

  test(`${name}: its user signs in, and is known after a restart`, async () => {
    const phone = new OtherPhone(kind);
    phone.loginCode = `${kind}-1`;
    const start = () => phone.load(bundle(file)).initializeApp({ syncURL: server.url });
    const app = start();
    const user = await app.auth().signInWeapp();
    assert.ok(user.uid && user === app.auth().currentUser);
    phone.restart();
    assert.strictEqual(start().auth().currentUser.uid, user.uid);
    phone.isConnected = false;
    await assert.rejects(app.auth().signInAnonymously(), { code: 'NETWORK_ERROR' });
    assert.deepStrictEqual(phone.foreignUses, []);
  });
}
