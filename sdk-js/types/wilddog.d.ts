import {
  AppOptions, Auth, CancelCallback, Credential, EventType, OnDisconnect, Priority, ServerValues, WriteCallback,
} from './common';

export = wilddog;
export as namespace wilddog;

declare namespace wilddog {
  const SDK_VERSION: string;
  const ServerValue: ServerValues;

  /** Sets up an app; calling it again with the same name gives the same app. */
  function initializeApp(options: AppOptions, name?: string): App;
  function app(name?: string): App;
  /** The root of the default app's database. */
  function sync(): Sync;
  function enableLogging(how: boolean | ((...text: unknown[]) => void)): void;
  const auth: {
    (): Auth;
    WilddogAuthProvider: {
      emailCredential(email: string, password: string): Credential;
      phoneCredential(phone: string, password: string): Credential;
    };
    EmailAuthProvider: { credential(email: string, password: string): Credential };
    QQAuthProvider: Provider;
    WeiboAuthProvider: Provider;
    WeixinAuthProvider: Provider;
    WeixinmpAuthProvider: Provider;
  };

  interface Provider {
    credential(accessToken: string, openId: string): Credential;
  }

  interface App {
    readonly name: string;
    readonly options: AppOptions;
    sync(): Sync;
    auth(): Auth;
  }

  /** A mini-program's page. */
  interface Page {
    data?: object;
    setData(values: any): void;
  }
  interface Binding<T = unknown> {
    '.key': string | null;
    '.value': T;
    '.priority': Priority;
  }

  interface DataSnapshot {
    val(): any;
    exportVal(): any;
    exists(): boolean;
    key(): string | null;
    name(): string | null;
    ref(): Reference;
    getPriority(): Priority;
    child(path: string): DataSnapshot;
    hasChild(path: string): boolean;
    hasChildren(): boolean;
    numChildren(): number;
    forEach(visit: (child: DataSnapshot) => unknown): boolean;
  }

  type Callback = (snapshot: DataSnapshot, previousKey?: string | null) => void;

  interface Query {
    on(type: EventType, callback: Callback, cancel?: CancelCallback | null, context?: object): Callback;
    on(type: EventType, callback: Callback, context: object): Callback;
    off(type?: EventType | null, callback?: Callback, context?: object): void;
    once(type: EventType, callback?: Callback, cancel?: CancelCallback | null, context?: object): Promise<DataSnapshot>;
    orderByChild(path: string): Query;
    orderByKey(): Query;
    orderByValue(): Query;
    orderByPriority(): Query;
    startAt(value?: string | number | boolean | null, key?: string): Query;
    endAt(value?: string | number | boolean | null, key?: string): Query;
    equalTo(value: string | number | boolean | null, key?: string): Query;
    limitToFirst(count: number): Query;
    limitToLast(count: number): Query;
    limit(count: number): Query;
    /** The place itself; with a path, one below it. */
    ref(path?: string): Reference;
    toString(): string;
    /** Keeps `page.data[name]` an array of `{'.key', '.value', '.priority'}`, in the query's order. */
    bindAsArray(page: Page, name: string, callback?: WriteCallback): Promise<void>;
    /** Keeps `page.data[name]` one `{'.key', '.value', '.priority'}`. */
    bindAsObject(page: Page, name: string, callback?: WriteCallback): Promise<void>;
    unbind(page: Page, name: string): void;
  }

  interface Reference extends Query {
    key(): string | null;
    name(): string | null;
    parent(): Reference | null;
    root(): Reference;
    child(path: string): Reference;
    set(value: unknown, callback?: WriteCallback): Promise<void>;
    update(values: Record<string, unknown>, callback?: WriteCallback): Promise<void>;
    remove(callback?: WriteCallback): Promise<void>;
    push(value?: unknown, callback?: WriteCallback): Reference & PromiseLike<Reference>;
    setWithPriority(value: unknown, priority: Priority, callback?: WriteCallback): Promise<void>;
    setPriority(priority: Priority, callback?: WriteCallback): Promise<void>;
    transaction(
      change: (value: any) => unknown,
      callback?: (error: Error | null, committed: boolean, snapshot: DataSnapshot) => void,
      applyLocally?: boolean,
    ): Promise<{ committed: boolean; snapshot: DataSnapshot }>;
    onDisconnect(): OnDisconnect;
    goOffline(): void;
    goOnline(): void;
  }

  interface Sync extends Reference {
    readonly ServerValue: ServerValues;
    readonly app: App;
    enableLogging(how: boolean | ((...text: unknown[]) => void)): void;
  }
}
