import wilddog = require('../../types/wilddog');

const app: wilddog.App = wilddog.initializeApp({ syncURL: 'wss://db.example.com/?ns=shop', keepWrites: true }, 'second');
const ref: wilddog.Reference = app.sync().ref('rooms').child('a');
const listener = ref.on('child_added', (snapshot, before) => {
  const key: string | null = snapshot.key();
  const place: string | null | undefined = before;
  console.log(key, place, snapshot.val().title);
}, (error) => console.log(error.code));
ref.off('child_added', listener);
ref.orderByChild('n').startAt(3).limitToLast(5).once('value').then((snapshot) => snapshot.forEach((child) => child.exists()));
const pushed = ref.push({ text: 'hello', at: wilddog.ServerValue.TIMESTAMP });
pushed.then((made) => made.remove());
ref.transaction((value) => (value || 0) + 1, (error, committed, snapshot) => console.log(error, committed, snapshot.val()))
  .then(({ committed }) => committed);
ref.onDisconnect().set(app.sync().ServerValue.TIMESTAMP).then(() => ref.onDisconnect().cancel());
const page = { data: { list: [] as wilddog.Binding<string>[] }, setData(_: object) { } };
ref.bindAsArray(page, 'list').then(() => ref.unbind(page, 'list'));
wilddog.auth().signInWeapp().then((user) => user.uid);
wilddog.auth().signInWithCredential(wilddog.auth.QQAuthProvider.credential('token', 'id'));
const stop: () => void = wilddog.auth().onAuthStateChanged((user) => user && user.getToken());
stop();
// @ts-expect-error no such event
ref.on('changed', () => {});
// @ts-expect-error key is a method
const wrong: string = ref.key;
// @ts-expect-error a limit is a number
ref.limitToLast('5');
