// Signing in from a mini-program, by either entry, at a server that lets nobody in otherwise; WeChat is a stand-in.
'use strict';
const { test, before, after } = require('node:test');
const assert = require('node:assert');
const { execFileSync } = require('child_process');
const crypto = require('crypto');
const http = require('http');
const vm = require('vm');
const { binary, bundle, startServer, until } = require('./support');
const { Phone, killAll } = require('./wx');

const rules = {
  rules: {
    users: { $uid: { '.read': 'auth != null && auth.uid == $uid', '.write': 'auth != null && auth.uid == $uid' } },
    public: { '.read': true, '.write': 'auth != null' },
  },
};
let server, admin, weChat;
const asked = [];

/** WeChat's `jscode2session`: knows one mini-program, and whose each code is. */
const openIDs = { 'code-1': 'open-1', 'code-2': 'open-1', 'code-3': 'open-2' };
function answerAsWeChat(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://x');
  asked.push(request.url);
  const openid = pathname === '/sns/jscode2session' && searchParams.get('appid') === 'wx1' &&
    searchParams.get('secret') === 'hush' && openIDs[searchParams.get('js_code')];
  response.end(JSON.stringify(openid ? { openid, session_key: 'key-1' } : { errcode: 40029, errmsg: 'invalid code' }));
}

before(async () => {
  weChat = http.createServer(answerAsWeChat);
  await new Promise((done) => weChat.listen(0, '127.0.0.1', done));
  server = await startServer({
    isLocked: true, env: { DHOLE_WECHAT_SECRET: 'hush' },
    flags: [
      '--sign-in', 'anonymous,password,custom,weapp', '--wechat-appid', 'wx1',
      '--wechat-url', `http://127.0.0.1:${weChat.address().port}`,
    ],
  });
  // The secret's line comes after the one that says that the server listens.
  let secret;
  for (let left = 3000; !(secret = /shown only now: (\S+)\s/.exec(server.log())) && left > 0; left--) {
    await new Promise((done) => setTimeout(done, 10));
  }
  admin = { authorization: 'Bearer ' + secret[1] };
  await server.rest('PUT', '/.settings/rules.json', rules, admin);
});
after(async () => {
  killAll();
  weChat.close();
  await server.stop();
});

const entries = {
  /** Wilddog's. */
  wilddog(phone) {
    const wilddog = phone.load(bundle('dhole-weapp.min.js'));
    const app = wilddog.initializeApp({ syncURL: server.url });
    const auth = app.auth();
    return {
      auth, sync: app.sync(),
      anonymously: () => auth.signInAnonymously(),
      signUp: (...both) => auth.createUserWithEmailAndPassword(...both),
      byPassword: (...both) => auth.signInWithEmailAndPassword(...both),
      byCustomToken: (token) => auth.signInWithCustomToken(token),
      byWeChat: () => auth.signInWeapp(),
      signOut: () => auth.signOut(),
      watch: (call) => auth.onAuthStateChanged(call),
      write: (path, value) => app.sync().ref(path).set(value),
      listen: (path, call, cancel) => app.sync().ref(path).on('value', call, cancel),
    };
  },
  /** Firebase's, in its modular style. */
  firebase(phone) {
    const firebase = phone.load(bundle('dhole-firebase-weapp.min.js'));
    const app = firebase.initializeApp({ databaseURL: server.url });
    const auth = firebase.getAuth(app);
    const database = firebase.getDatabase(app);
    return {
      auth,
      anonymously: () => firebase.signInAnonymously(auth),
      signUp: (...both) => firebase.createUserWithEmailAndPassword(auth, ...both),
      byPassword: (...both) => firebase.signInWithEmailAndPassword(auth, ...both),
      byCustomToken: (token) => firebase.signInWithCustomToken(auth, token),
      byWeChat: () => firebase.signInWeapp(auth),
      signOut: () => firebase.signOut(auth),
      watch: (call) => firebase.onAuthStateChanged(auth, call),
      write: (path, value) => firebase.set(firebase.ref(database, path), value),
      listen: (path, call, cancel) => firebase.onValue(firebase.ref(database, path), call, cancel),
    };
  },
};

/** The program's clock goes ahead of the true one. */
function ahead(phone, hours) {
  vm.runInContext(`(() => { const now = Date.now; Date.now = () => now() + ${hours * 3600000}; })()`, phone.context);
}
const isDenied = (error) => error.code === 26101 || error.code === 'PERMISSION_DENIED';
const credentials = (phone) => phone.frames.filter((frame) => /^> .*"a":"auth"/.test(frame)).map((frame) => JSON.parse(frame.slice(2)).d.b.cred);
let people = 0;

for (const [name, open] of Object.entries(entries)) {
  test(`${name}: a guest signs in, rules see who it is, and after signing out nobody is there`, async () => {
    const program = open(new Phone());
    const seen = [];
    program.watch((user) => seen.push(user && user.uid));
    await assert.rejects(program.write('users/someone', 1), isDenied);
    const user = await program.anonymously();
    assert.ok(user.isAnonymous && user.uid && user === program.auth.currentUser);
    await program.write(`users/${user.uid}`, 'mine');
    await assert.rejects(program.write('users/someone', 1), isDenied);
    assert.strictEqual(await server.rest('GET', `/users/${user.uid}.json`, undefined, admin), 'mine');
    await program.signOut();
    assert.strictEqual(program.auth.currentUser, null);
    await assert.rejects(program.write(`users/${user.uid}`, 2), isDenied);
    assert.deepStrictEqual(seen, [null, user.uid, null]);
  });

  test(`${name}: an account with a password, at the wrong one's refusal and at the right one`, async () => {
    const address = `person${++people}@example.com`;
    const program = open(new Phone());
    const made = await program.signUp(address, 'secret1');
    const { uid } = made;
    assert.deepStrictEqual([made.email, made.isAnonymous, made.providerId], [address, false, 'password']);
    await assert.rejects(program.signUp(address, 'secret1'), { code: 22013 });
    await program.signOut();
    await assert.rejects(program.byPassword(address, 'wrong'), { code: 22010 });
    assert.strictEqual(program.auth.currentUser, null);
    const other = open(new Phone());
    assert.strictEqual((await other.byPassword(address, 'secret1')).uid, uid);
    await other.write(`users/${uid}`, 1);
    const network = new Phone();
    network.isConnected = false;
    await assert.rejects(open(network).byPassword(address, 'secret1'), { code: 'NETWORK_ERROR' });
  });

  test(`${name}: a custom token that the program's own server has made`, async () => {
    const { secret } = await server.rest('POST', '/.admin/databases/default/secrets.json', {}, admin);
    const token = execFileSync(binary, ['token', 'mint', '--uid', 'ann'], { encoding: 'utf8', env: { ...process.env, DHOLE_SECRET: secret } }).trim();
    const program = open(new Phone());
    assert.strictEqual((await program.byCustomToken(token)).uid, 'ann');
    await program.write('users/ann', 1);
    await assert.rejects(program.write('users/bo', 1), isDenied);
    await assert.rejects(program.byCustomToken('nonsense'), { code: 22004 });
    assert.strictEqual(program.auth.currentUser.uid, 'ann');
  });

  test(`${name}: a mini-program's user, whom WeChat knows`, async () => {
    const phone = new Phone();
    phone.userInfo = {
      rawData: '{"nickName":"Ann"}', encryptedData: 'e', iv: 'i',
      signature: crypto.createHash('sha1').update('{"nickName":"Ann"}key-1').digest('hex'),
    };
    const program = open(phone);
    const user = await program.byWeChat();
    assert.deepStrictEqual([user.providerId, user.displayName], ['weapp', 'Ann']);
    await program.write(`users/${user.uid}`, 1);
    // A user who does not tell their name is the same user.
    const again = new Phone();
    Object.assign(again, { userInfo: null, loginCode: 'code-2' });
    assert.strictEqual((await open(again).byWeChat()).uid, user.uid);
    const else_ = new Phone();
    Object.assign(else_, { userInfo: null, loginCode: 'code-3' });
    assert.notStrictEqual((await open(else_).byWeChat()).uid, user.uid);
    const wrong = new Phone();
    wrong.loginCode = 'never';
    await assert.rejects(open(wrong).byWeChat(), { code: 22233 });
    assert.ok(asked.every((url) => url.includes('grant_type=authorization_code')));
    assert.deepStrictEqual(phone.foreignUses, []);
  });

  test(`${name}: the session is there again when the program is started again`, async () => {
    const phone = new Phone();
    const { uid } = await open(phone).anonymously();
    phone.restart();
    const program = open(phone);
    assert.strictEqual(program.auth.currentUser.uid, uid);
    await program.write(`users/${uid}`, 'again');
    await program.signOut();
    phone.restart();
    assert.strictEqual(open(phone).auth.currentUser, null);
  });

  test(`${name}: a token is renewed before it ends, and listeners notice nothing`, async () => {
    const phone = new Phone();
    const program = open(phone);
    const { uid } = await program.anonymously();
    const values = [];
    program.listen(`users/${uid}`, (snapshot) => values.push(snapshot.val()), (error) => values.push(error.message));
    await until(() => values.length);
    const first = program.auth.currentUser.getToken();
    // Nothing is due yet.
    phone.hide();
    phone.show();
    ahead(phone, 22);
    phone.hide();
    phone.show();
    const second = await until(() => program.auth.currentUser.getToken() !== first && program.auth.currentUser.getToken());
    await until(() => credentials(phone).includes(second));
    // While the network is away the next is due: it is had before the server is greeted.
    ahead(phone, 22);
    phone.network(false);
    phone.network(true);
    const third = await until(() => program.auth.currentUser.getToken() !== second && program.auth.currentUser.getToken());
    await until(() => credentials(phone).includes(third));
    await program.write(`users/${uid}`, 'still mine');
    assert.deepStrictEqual(values, [null, 'still mine']);
    assert.deepStrictEqual([...new Set(credentials(phone))], [first, second, third]);
    assert.strictEqual(program.auth.currentUser.uid, uid);
    // A program that starts after the end of its token has it renewed too.
    phone.restart();
    phone.context = phone.makeContext();
    ahead(phone, 70);
    const later = open(phone);
    await later.write(`users/${uid}`, 'later');
    assert.notStrictEqual(later.auth.currentUser.getToken(), third);
  });

  test(`${name}: who has been deleted is signed out when the token would be renewed`, async () => {
    const address = `person${++people}@example.com`;
    const [phone, program] = ((made) => [made, open(made)])(new Phone());
    const { uid } = await program.signUp(address, 'secret1');
    await program.write(`users/${uid}`, 1);
    const seen = [];
    program.watch((user) => seen.push(user && user.uid));
    phone.network(false);
    const other = open(new Phone());
    await other.byPassword(address, 'secret1');
    await other.auth.currentUser.delete();
    assert.strictEqual(other.auth.currentUser, null);
    ahead(phone, 22);
    phone.network(true);
    await until(() => program.auth.currentUser === null);
    assert.deepStrictEqual(seen, [uid, null]);
    await assert.rejects(program.write(`users/${uid}`, 2), isDenied);
  });
}
