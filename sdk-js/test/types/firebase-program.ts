import * as firebase from '../../types/firebase';
import {
  getAuth, getDatabase, increment, initializeApp, limitToLast, onChildAdded, onDisconnect, onValue, orderByChild, push,
  query, ref, runTransaction, serverTimestamp, set, signInAnonymously, update,
} from '../../types/firebase';

const app = initializeApp({ databaseURL: 'https://db.example.com' });
const database = getDatabase(app);
const rooms: firebase.Reference = ref(database, 'rooms');
const stop: firebase.Unsubscribe = onValue(rooms, (snapshot) => {
  const key: string | null = snapshot.key;
  console.log(key, snapshot.val(), snapshot.size);
}, (error) => console.log(error.code), { onlyOnce: true });
stop();
onChildAdded(query(rooms, orderByChild('at'), limitToLast(20)), (snapshot, before) => console.log(snapshot.ref.key, before));
set(rooms, { at: serverTimestamp(), n: increment(2) }).then(() => update(rooms, { 'a/b': null }));
push(rooms, 1).then((made) => made.key);
runTransaction(rooms, (value) => value, { applyLocally: false }).then((result) => result.snapshot.val());
onDisconnect(rooms).remove();
signInAnonymously(getAuth()).then((user) => user.isAnonymous);
// Namespaced.
const parent: firebase.Reference | null = firebase.database().ref('a/b').parent;
parent!.child('c').on('value', (snapshot) => snapshot.val());
console.log(firebase.database.ServerValue.TIMESTAMP);
// @ts-expect-error key is no method here
rooms.key();
// @ts-expect-error a reference is needed
set('rooms', 1);
