import { App, Options, increment, timestamp } from './app';
import { fail } from './check';
import { enableLogging } from './log';
import { Query, Reference, Snapshot, tellBoth } from './reference';
import { Node } from './node';
import { childrenOf } from './query';

declare const module: any;

// MARK: Errors

const codes: Record<string, number> = {
  failure: 26001, unavailable: 26003, permission_denied: 26101, too_big: 26104, datastale: 26201,
  disconnected: 26202, maxretries: 26203, overriddenbyset: 26204, expired_token: 26801, invalid_token: 26802,
};

function errorOf(status: string, text: any): Error {
  const error: any = new Error((status || 'error').toUpperCase() + (text ? ': ' + text : ''));
  error.code = codes[status] || 29999;
  return error;
}

// MARK: Methods that Wilddog has

const add = (to: any, methods: any): void => {
  Object.assign(to.prototype, methods);
};


add(Snapshot, {
  key(this: Snapshot) { return this.reference_.key_(); },
  name(this: Snapshot) { return this.reference_.key_(); },
  ref(this: Snapshot) { return this.reference_; },
});
add(Reference, {
  key(this: Reference) { return this.key_(); },
  name(this: Reference) { return this.key_(); },
  parent(this: Reference) { return this.parent_(); },
  root(this: Reference) { return new Reference(this.database_, []); },
  goOffline(this: Reference) { this.database_.connection_.goOffline_(); },
  goOnline(this: Reference) { this.database_.connection_.goOnline_(); },
});
add(Query, {
  ref(this: Query, path?: string) {
    const reference = this.reference_();
    return path === undefined ? reference : reference.child(path);
  },
  limit(this: Query, count: number) {
    return this.filter_.sp === undefined ? this.limitToLast(count) : this.limitToFirst(count);
  },
  bindAsArray(this: Query, page: any, name: string, call?: any) {
    let known: Record<string, [Node, any]> = {};
    return bind(this, page, name, call, (snapshot) => {
      // What has not changed stays the same object.
      const now: typeof known = {};
      const list = childrenOf(snapshot.node_, this.filter_).map(([key, node]) => {
        const old = known[key];
        now[key] = old && old[0] === node ? old : [node, entry(key, node)];
        return now[key][1];
      });
      known = now;
      return list;
    });
  },
  bindAsObject(this: Query, page: any, name: string, call?: any) {
    return bind(this, page, name, call, (snapshot) => entry(snapshot.reference_.key_(), snapshot.node_));
  },
  unbind(this: Query, page: any, name: string) {
    bindings = bindings.filter((binding) => {
      if (binding.page !== page || binding.name !== name) return true;
      binding.end();
      return false;
    });
  },
});

// MARK: Binding

let bindings: { page: any; name: string; end: () => void }[] = [];

const entry = (key: string | null, node: Node): any =>
  ({ '.key': key, '.value': node.json_(), '.priority': node.priority_ });

/** Keeps a member of a page's data up to date. */
function bind(query: Query, page: any, name: string, call: any, show: (snapshot: Snapshot) => any): Promise<void> {
  if (!page || typeof page.setData !== 'function') fail('No page');
  if (bindings.some((binding) => binding.page === page && binding.name === name)) fail('Bound already: ' + name);
  return tellBoth(
    new Promise<void>((done, failed) => {
      const context = {};
      const callback = query.on('value', (snapshot: Snapshot) => {
        page.setData({ [name]: show(snapshot) });
        done();
      }, (error: Error) => {
        (query as any).unbind(page, name);
        failed(error);
      }, context);
      bindings.push({ page, name, end: () => query.off('value', callback, context) });
    }), call);
}

// MARK: Apps

/** An app as programs see it. */
class WilddogApp extends App {
  private sync_: any;

  constructor(name: string, options: Options) {
    super(name, options, errorOf);
  }

  sync(): any {
    if (this.sync_) return this.sync_;
    const root: any = new Reference(this.base_, this.path_);
    root.ServerValue = { TIMESTAMP: timestamp, increment };
    root.enableLogging = enableLogging;
    root.app = this;
    return (this.sync_ = root);
  }

  auth(): any {
    return this.session_;
  }
}

const apps: Record<string, WilddogApp> = {};

function app(name = 'DEFAULT'): WilddogApp {
  return apps[name] || fail('No app');
}

const credentials = (providerId: string) => ({
  credential: (accessToken: string, openId: string) => ({ providerId, accessToken, openId }),
});
const byEmail = (email: string, password: string): any => ({ providerId: 'password', email, password });

const wilddog: any = {
  SDK_VERSION: VERSION,
  initializeApp(options: Options, name = 'DEFAULT') {
    if (apps[name]) return apps[name];
    apps[name] = new WilddogApp(name, options);
    if (name !== 'DEFAULT') wilddog[name] = apps[name];
    return apps[name];
  },
  app,
  sync: () => app().sync(),
  auth: Object.assign(() => app().auth(), {
    WilddogAuthProvider: {
      emailCredential: byEmail,
      phoneCredential: (phoneNumber: string, password: string) => ({ providerId: 'password', phoneNumber, password }),
    },
    EmailAuthProvider: { credential: byEmail },
    QQAuthProvider: credentials('qq'),
    WeiboAuthProvider: credentials('weibo'),
    WeixinAuthProvider: credentials('weixin'),
    WeixinmpAuthProvider: credentials('weixinmp'),
  }),
  ServerValue: { TIMESTAMP: timestamp, increment },
  enableLogging,
};

module.exports = wilddog;
