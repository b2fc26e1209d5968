import {
  AppOptions, Auth, CancelCallback, EventType, OnDisconnect, Placeholder, Priority, ServerValues, User, WriteCallback,
} from './common';

export { AppOptions, Auth, EventType, OnDisconnect, Priority, User };
export as namespace firebase;

export const SDK_VERSION: string;
export const ServerValue: ServerValues;
export function enableLogging(how: boolean | ((...text: unknown[]) => void)): void;

// Apps

export interface FirebaseApp {
  readonly name: string;
  readonly options: AppOptions;
  database(): Database;
  auth(): Auth;
}
export function initializeApp(options: AppOptions, name?: string): FirebaseApp;
export function getApp(name?: string): FirebaseApp;
export function app(name?: string): FirebaseApp;
export function getDatabase(app?: FirebaseApp): Database;
export const database: { (app?: FirebaseApp): Database; ServerValue: ServerValues };
export function getAuth(app?: FirebaseApp): Auth;
export function auth(app?: FirebaseApp): Auth;
/** Has the database at `ws://HOST:PORT` instead; to be called before anything is asked of it. */
export function connectDatabaseEmulator(database: Database, host: string, port: number): void;
/** Has users sign in at another server. */
export function connectAuthEmulator(auth: Auth, url: string): void;

export interface Database {
  readonly app: FirebaseApp;
  ref(path?: string | Reference): Reference;
  refFromURL(url: string): Reference;
  goOffline(): void;
  goOnline(): void;
}

// Namespaced style

export interface DataSnapshot {
  readonly key: string | null;
  readonly ref: Reference;
  readonly priority: Priority;
  readonly size: number;
  val(): any;
  exportVal(): any;
  exists(): boolean;
  getPriority(): Priority;
  child(path: string): DataSnapshot;
  hasChild(path: string): boolean;
  hasChildren(): boolean;
  numChildren(): number;
  forEach(visit: (child: DataSnapshot) => unknown): boolean;
  toJSON(): any;
}
export type Callback = (snapshot: DataSnapshot, previousKey?: string | null) => void;
type Bound = string | number | boolean | null;

export interface Query {
  readonly ref: Reference;
  on(type: EventType, callback: Callback, cancel?: CancelCallback | null, context?: object): Callback;
  on(type: EventType, callback: Callback, context: object): Callback;
  off(type?: EventType | null, callback?: Callback, context?: object): void;
  once(type: EventType, callback?: Callback, cancel?: CancelCallback | null, context?: object): Promise<DataSnapshot>;
  get(): Promise<DataSnapshot>;
  orderByChild(path: string): Query;
  orderByKey(): Query;
  orderByValue(): Query;
  orderByPriority(): Query;
  startAt(value?: Bound, key?: string): Query;
  startAfter(value?: Bound, key?: string): Query;
  endAt(value?: Bound, key?: string): Query;
  endBefore(value?: Bound, key?: string): Query;
  equalTo(value: Bound, key?: string): Query;
  limitToFirst(count: number): Query;
  limitToLast(count: number): Query;
  isEqual(other: Query | null): boolean;
  toString(): string;
  toJSON(): string;
}

export interface TransactionResult {
  committed: boolean;
  snapshot: DataSnapshot;
}

export interface Reference extends Query {
  readonly key: string | null;
  readonly parent: Reference | null;
  readonly root: Reference;
  child(path: string): Reference;
  set(value: unknown, callback?: WriteCallback): Promise<void>;
  update(values: Record<string, unknown>, callback?: WriteCallback): Promise<void>;
  remove(callback?: WriteCallback): Promise<void>;
  push(value?: unknown, callback?: WriteCallback): ThenableReference;
  setWithPriority(value: unknown, priority: Priority, callback?: WriteCallback): Promise<void>;
  setPriority(priority: Priority, callback?: WriteCallback): Promise<void>;
  transaction(
    change: (value: any) => unknown,
    callback?: (error: Error | null, committed: boolean, snapshot: DataSnapshot) => void,
    applyLocally?: boolean,
  ): Promise<TransactionResult>;
  onDisconnect(): OnDisconnect;
}
export type ThenableReference = Reference & PromiseLike<Reference>;

// Modular style

export function ref(of: Database | Reference, path?: string): Reference;
export function refFromURL(of: Database, url: string): Reference;
export function child(parent: Reference, path: string): Reference;
export function set(at: Reference, value: unknown): Promise<void>;
export function update(at: Reference, values: Record<string, unknown>): Promise<void>;
export function remove(at: Reference): Promise<void>;
export function push(at: Reference, value?: unknown): ThenableReference;
export function setPriority(at: Reference, priority: Priority): Promise<void>;
export function setWithPriority(at: Reference, value: unknown, priority: Priority): Promise<void>;
export function get(query: Query): Promise<DataSnapshot>;
export function runTransaction(
  at: Reference, change: (value: any) => unknown, options?: { applyLocally?: boolean },
): Promise<TransactionResult>;
export function onDisconnect(at: Reference): OnDisconnect;
export function serverTimestamp(): Placeholder;
export function increment(by: number): Placeholder;
export function goOffline(of: Database): void;
export function goOnline(of: Database): void;

export interface ListenOptions {
  onlyOnce?: boolean;
}
export type Unsubscribe = () => void;
interface Listening {
  (query: Query, callback: Callback, options?: ListenOptions): Unsubscribe;
  (query: Query, callback: Callback, cancel?: CancelCallback, options?: ListenOptions): Unsubscribe;
}
export const onValue: Listening;
export const onChildAdded: Listening;
export const onChildChanged: Listening;
export const onChildRemoved: Listening;
export const onChildMoved: Listening;
export function off(query: Query, type?: EventType, callback?: Callback): void;

/** One step of a query. */
export type Constraint = (query: Query) => Query;
export function query(of: Query, ...constraints: Constraint[]): Query;
export function orderByChild(path: string): Constraint;
export function orderByKey(): Constraint;
export function orderByValue(): Constraint;
export function orderByPriority(): Constraint;
export function startAt(value?: Bound, key?: string): Constraint;
export function startAfter(value?: Bound, key?: string): Constraint;
export function endAt(value?: Bound, key?: string): Constraint;
export function endBefore(value?: Bound, key?: string): Constraint;
export function equalTo(value: Bound, key?: string): Constraint;
export function limitToFirst(count: number): Constraint;
export function limitToLast(count: number): Constraint;

// Signing in

export function signInAnonymously(of: Auth): Promise<User>;
export function signInWithCustomToken(of: Auth, token: string): Promise<User>;
export function signInWithToken(of: Auth, idToken: string, uid: string): Promise<User>;
export function signInWithEmailAndPassword(of: Auth, email: string, password: string): Promise<User>;
export function createUserWithEmailAndPassword(of: Auth, email: string, password: string): Promise<User>;
export function signInWeapp(of: Auth): Promise<User>;
export function signOut(of: Auth): Promise<void>;
export function onAuthStateChanged(of: Auth, callback: (user: User | null) => void): () => void;
