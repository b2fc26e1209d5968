import { App, Options, increment as incrementBy, timestamp } from './app';
import { Auth, User } from './auth';
import { fail } from './check';
import { firstKey, lastKey } from './node';
import { filterText } from './query';
import { OnDisconnect, Query, Reference, Snapshot } from './reference';
export { enableLogging } from './log';
import { size } from './sorted';

function errorOf(status: string, text: any): Error {
  const code = (status || 'error').toUpperCase();
  const error: any = new Error(status === 'disconnected' ? 'disconnect' : status === 'overriddenbyset' ? 'set' : code + (text ? ': ' + text : ''));
  error.code = code;
  return error;
}

// MARK: Members that Firebase's classes have


const add = (to: any, getters: Record<string, (self: any) => any>): void => {
  for (const name of Object.keys(getters)) {
    Object.defineProperty(to.prototype, name, {
      get() {
        return getters[name](this);
      },
    });
  }
};
add(Snapshot, {
  key: (snapshot) => snapshot.reference_.key_(),
  ref: (snapshot) => snapshot.reference_,
  priority: (snapshot) => snapshot.getPriority(),
  size: (snapshot) => size(snapshot.node_.children_),
});
(Snapshot.prototype as any).toJSON = Snapshot.prototype.exportVal;
Object.assign(Query.prototype, {
  get(this: Query) {
    return this.once('value');
  },
  startAfter(this: Query, value?: any, key?: string) {
    return this.bound_('s', value, key, beyond(this, 's', key, lastKey));
  },
  endBefore(this: Query, value?: any, key?: string) {
    return this.bound_('e', value, key, beyond(this, 'e', key, firstKey));
  },
  toJSON(this: Query) {
    return this.toString();
  },
  isEqual(this: Query, other: Query | null) {
    return !!other && other.database_ === this.database_ && other.path_.join('/') === this.path_.join('/') &&
      filterText(other.filter_) === filterText(this.filter_) && other.filter_.i === this.filter_.i;
  },
});

/** Leaves a bound out: the child of that key, or every child of that value. */
const beyond = (query: Query, side: string, key: string | undefined, name: string): any => ({
  [side + 'in']: false, ...(key === undefined && query.filter_.i !== '.key' ? { [side + 'n']: name } : null),
});

add(Query, { ref: (query) => query.reference_() });
add(Reference, {
  key: (reference) => reference.key_(),
  parent: (reference) => reference.parent_(),
  root: (reference) => new Reference(reference.database_, []),
});

// MARK: Apps

/** The database of an app. */
class DatabaseHandle {
  constructor(readonly app: FirebaseApp) {}

  ref(path?: string | Reference): Reference {
    if (path instanceof Reference) return path;
    const root = new Reference(this.app.base_, this.app.path_);
    return path === undefined ? root : root.child(path);
  }
  refFromURL(url: string): Reference {
    const parts = /^\w+:\/\/([^/?]+)([^?]*)/.exec(url) || fail('Not an address: ' + url);
    if (this.app.origin_.replace(/^wss?:\/\//, '') !== parts[1]) fail('Of another server: ' + url);
    return new Reference(this.app.base_, []).child(parts[2].split('/').map(decodeURIComponent).join('/'));
  }
  goOffline(): void {
    this.app.base_.connection_.goOffline_();
  }
  goOnline(): void {
    this.app.base_.connection_.goOnline_();
  }
}

class FirebaseApp extends App {
  private handle_: DatabaseHandle | undefined;
  constructor(name: string, options: Options) {
    super(name, options, errorOf);
  }
  database(): DatabaseHandle {
    return this.handle_ || (this.handle_ = new DatabaseHandle(this));
  }
  auth(): Auth {
    return this.session_;
  }
  /** Another server has the database of the same name, which Firebase has in the host's first label. */
  moveTo_(host: string): void {
    if (this.database_) fail('The database is in use already');
    this.namespace_ = this.namespace_ || (/\/\/([a-z][^.:]*)\./.exec(this.origin_) || ['', ''])[1];
    this.origin_ = 'ws://' + host;
  }
}

const apps: Record<string, FirebaseApp> = {};

export const SDK_VERSION = VERSION;
export function initializeApp(options: Options, name = '[DEFAULT]'): FirebaseApp {
  return apps[name] || (apps[name] = new FirebaseApp(name, options));
}
export function getApp(name = '[DEFAULT]'): FirebaseApp {
  return apps[name] || fail('No app');
}
export const app = getApp;
export function getDatabase(of?: FirebaseApp): DatabaseHandle {
  return (of || getApp()).database();
}
export const ServerValue = { TIMESTAMP: timestamp, increment: incrementBy };
export const database: any = Object.assign(getDatabase, { ServerValue });
export function getAuth(of?: FirebaseApp): Auth {
  return (of || getApp()).auth();
}
export const auth = getAuth;
export function connectDatabaseEmulator(of: DatabaseHandle, host: string, port: number): void {
  of.app.moveTo_(host + ':' + port);
}
export function connectAuthEmulator(of: Auth, url: string): void {
  of.url_ = of.url_.replace(/^\w+:\/\/[^/]+/, url.replace(/\/+$/, ''));
}

// MARK: Modular style

type Visitor = (snapshot: Snapshot, before?: string | null) => void;

export const ref = (of: DatabaseHandle | Reference, path?: string): Reference =>
  of instanceof Reference ? (path === undefined ? of : of.child(path)) : of.ref(path);
export const refFromURL = (of: DatabaseHandle, url: string): Reference => of.refFromURL(url);
export const child = (parent: Reference, path: string): Reference => parent.child(path);
export const set = (at: Reference, value: any): Promise<void> => at.set(value);
export const update = (at: Reference, values: any): Promise<void> => at.update(values);
export const remove = (at: Reference): Promise<void> => at.remove();
export const push = (at: Reference, value?: any): any => at.push(value);
export const setPriority = (at: Reference, priority: any): Promise<void> => at.setPriority(priority);
export const setWithPriority = (at: Reference, value: any, priority: any): Promise<void> =>
  at.setWithPriority(value, priority);
export const get = (query: Query): Promise<Snapshot> => (query as any).get();
export const runTransaction = (at: Reference, change: (value: any) => any, options?: { applyLocally?: boolean }): Promise<any> =>
  at.transaction(change, undefined, !options || options.applyLocally !== false);
export const onDisconnect = (at: Reference): OnDisconnect => at.onDisconnect();
export const serverTimestamp = (): any => timestamp;
export const increment = incrementBy;
export const goOffline = (of: DatabaseHandle): void => of.goOffline();
export const goOnline = (of: DatabaseHandle): void => of.goOnline();

const listening = (type: any) => (query: Query, call: Visitor, cancel?: any, options?: any): (() => void) => {
  if (cancel && typeof cancel !== 'function') {
    options = cancel;
    cancel = undefined;
  }
  // An object of its own tells this listener from another with the same callback.
  const context = {};
  const visit: Visitor = (snapshot, before) => {
    if (options && options.onlyOnce) query.off(type, visit, context);
    call(snapshot, before);
  };
  query.on(type, visit, cancel, context);
  endings.push([query, type, call, visit, context]);
  return () => query.off(type, visit, context);
};
let endings: [Query, string, Visitor, Visitor, any][] = [];
export const onValue = listening('value');
export const onChildAdded = listening('child_added');
export const onChildChanged = listening('child_changed');
export const onChildRemoved = listening('child_removed');
export const onChildMoved = listening('child_moved');
export function off(query: Query, type?: any, call?: Visitor): void {
  endings = endings.filter(([of, kind, given, visit, context]) => {
    if (!(of as any).isEqual(query) || (type && kind !== type) || (call && given !== call)) return true;
    of.off(kind as any, visit, context);
    return false;
  });
  if (!call) query.off(type);
}

/** One step of a query. */
export type Constraint = (query: Query) => Query;
export const query = (of: Query, ...constraints: Constraint[]): Query =>
  // Orders first: what a bound may be depends on them.
  constraints.slice()
    .sort((a, b) => ((a as any).place_ || 0) - ((b as any).place_ || 0))
    .reduce((made, step) => step(made), of);
const constraint = (place_: number, step: Constraint): Constraint => Object.assign(step, { place_ });
export const orderByChild = (path: string): Constraint => constraint(0, (of) => of.orderByChild(path));
export const orderByKey = (): Constraint => constraint(0, (of) => of.orderByKey());
export const orderByValue = (): Constraint => constraint(0, (of) => of.orderByValue());
export const orderByPriority = (): Constraint => constraint(0, (of) => of.orderByPriority());
export const startAt = (value?: any, key?: string): Constraint => constraint(1, (of) => of.startAt(value, key));
export const startAfter = (value?: any, key?: string): Constraint => constraint(1, (of: any) => of.startAfter(value, key));
export const endAt = (value?: any, key?: string): Constraint => constraint(1, (of) => of.endAt(value, key));
export const endBefore = (value?: any, key?: string): Constraint => constraint(1, (of: any) => of.endBefore(value, key));
export const equalTo = (value: any, key?: string): Constraint => constraint(1, (of) => of.equalTo(value, key));
export const limitToFirst = (count: number): Constraint => constraint(1, (of) => of.limitToFirst(count));
export const limitToLast = (count: number): Constraint => constraint(1, (of) => of.limitToLast(count));

export const signInAnonymously = (of: Auth): Promise<User> => of.signInAnonymously();
export const signInWithCustomToken = (of: Auth, token: string): Promise<User> => of.signInWithCustomToken(token);
export const signInWithToken = (of: Auth, token: string, uid: string): Promise<User> => of.signInWithToken(token, uid);
export const signInWithEmailAndPassword = (of: Auth, email: string, password: string): Promise<User> =>
  of.signInWithEmailAndPassword(email, password);
export const createUserWithEmailAndPassword = (of: Auth, email: string, password: string): Promise<User> =>
  of.createUserWithEmailAndPassword(email, password);
export const signInWeapp = (of: Auth): Promise<User> => of.signInWeapp();
export const signOut = (of: Auth): Promise<void> => of.signOut();
export const onAuthStateChanged = (of: Auth, call: (user: User | null) => void): (() => void) =>
  of.onAuthStateChanged(call);

