import { checkPriority, checkValue, checkWritable, checkedPath, checkedUpdate, fail, pathOf } from './check';
import { Database } from './database';
import { Node, Path, nodeFrom } from './node';
import { pushID } from './pushid';
import { Filter, childrenOf } from './query';
import { size } from './sorted';
import { Outcome, Transaction, overruleTransactions } from './transaction';
import { EventType, ViewEvent } from './view';

type Callback = (error: Error | null, ...more: any[]) => void;

const checkType = (type: string): unknown =>
  /^(value|child_(added|changed|removed|moved))$/.test(type) || fail('Bad event: ' + type);

/** Tells a callback as well, in which case nobody need look at the promise. */
export function tellBoth<T>(promise: Promise<T>, call?: Callback | null): Promise<T> {
  if (typeof call === 'function') {
    promise.then(() => call(null), (error) => call(error));
    promise.catch(() => {});
  }
  return promise;
}

/** Asks for a change at a place, and promises its answer. */
function change(
  database: Database, action: string, path: Path, body: any, sets: [Path, Node][], call?: Callback,
): Promise<void> {
  return tellBoth(
    new Promise((done, failed) =>
      database.change_(action, path, body, sets, (status, text) =>
        status === 'ok' ? done() : failed(database.error_(status, text)))), call);
}

/** A value as it was at some time. */
export class Snapshot {
  constructor(readonly node_: Node, readonly reference_: Reference, readonly filter_: Filter) {}

  val(): any {
    return this.node_.json_();
  }
  exportVal(): any {
    return this.node_.json_(true);
  }
  exists(): boolean {
    return !this.node_.isEmpty_;
  }
  getPriority(): any {
    return this.node_.priority_;
  }
  child(path: string): Snapshot {
    const keys = pathOf(path);
    return new Snapshot(this.node_.at_(keys), this.reference_.child_(keys), {});
  }
  hasChild(path: string): boolean {
    return !this.node_.at_(pathOf(path)).isEmpty_;
  }
  hasChildren(): boolean {
    return !!this.node_.children_;
  }
  numChildren(): number {
    return size(this.node_.children_);
  }
  /** Visits the children in the query's order until the visitor returns true. */
  forEach(visit: (child: Snapshot) => unknown): boolean {
    return childrenOf(this.node_, this.filter_).some(([key, node]) =>
      visit(new Snapshot(node, this.reference_.child_([key]), {})) === true);
  }
}

/** A place, what is asked of it, and the ways to listen. */
export class Query {
  constructor(readonly database_: Database, readonly path_: Path, readonly filter_: Filter = {}) {}

  on(type: EventType, call: any, cancel?: any, context?: any): any {
    checkType(type);
    if (typeof call !== 'function') fail('No callback');
    if (cancel && typeof cancel !== 'function') {
      context = cancel;
      cancel = null;
    }
    this.database_.listen_(this.path_, this.filter_, {
      type_: type, callback_: call, context_: context,
      call_: (event) => call.call(context, this.snapshot_(event), event.before_),
      cancel_: (error) => cancel && cancel.call(context, error),
    });
    return call;
  }

  off(type?: EventType | null, call?: any, context?: any): void {
    if (type) checkType(type);
    this.database_.unlisten_(this.path_, this.filter_, (listener) =>
      (!type || listener.type_ === type) && !!listener.callback_ &&
      (!call || listener.callback_ === call) && (!context || listener.context_ === context));
  }

  once(type: EventType, call?: any, cancel?: any, context?: any): Promise<any> {
    if (cancel && typeof cancel !== 'function') {
      context = cancel;
      cancel = null;
    }
    const result = new Promise<Snapshot>((done, failed) => {
      const own = {};
      const first = (snapshot: Snapshot, before: any): void => {
        this.off(type, first, own);
        if (call) this.database_.guard_(() => call.call(context, snapshot, before));
        done(snapshot);
      };
      this.on(type, first, (error: Error) => {
        if (cancel) cancel.call(context, error);
        failed(error);
      }, own);
    });
    if (call) result.catch(() => {});
    return result;
  }

  snapshot_(event: ViewEvent): Snapshot {
    return event.key_ === null
      ? this.value_(event.node_)
      : new Snapshot(event.node_, this.reference_().child_([event.key_]), {});
  }

  value_(node: Node): Snapshot {
    return new Snapshot(node, this.reference_(), this.filter_);
  }

  reference_(): Reference {
    return new Reference(this.database_, this.path_);
  }

  // MARK: Restricting

  private with_(changes: Filter): Query {
    return new Query(this.database_, this.path_, { ...this.filter_, ...changes });
  }

  private order_(i: string | undefined): Query {
    if ('i' in this.filter_) fail('Ordered already');
    return this.with_({ i });
  }

  orderByChild(path: string): Query {
    const keys = checkedPath(path);
    if (!keys.length) fail('Bad path: ' + path);
    return this.order_(keys.join('/'));
  }
  orderByKey(): Query {
    return this.order_('.key');
  }
  orderByValue(): Query {
    return this.order_('.value');
  }
  orderByPriority(): Query {
    return this.order_(undefined);
  }

  private limit_(l: number, vf: 'l' | 'r'): Query {
    if (!(l > 0) || l % 1 || this.filter_.l) fail('Bad limit');
    return this.with_({ l, vf });
  }
  limitToFirst(count: number): Query {
    return this.limit_(count, 'l');
  }
  limitToLast(count: number): Query {
    return this.limit_(count, 'r');
  }

  /** Sets the start (`s`) or the end (`e`); what else is given goes to the wire as it is. */
  bound_(side: 's' | 'e', value: any = null, key?: string, more?: any): Query {
    const { i } = this.filter_;
    if (`${side}p` in this.filter_ || (value && typeof value === 'object') || value !== value ||
      (i === undefined && typeof value === 'boolean') || (i === '.key' && (typeof value !== 'string' || key !== undefined))) {
      fail('Bad bound: ' + value);
    }
    return this.with_({ [side + 'p']: value, ...(key === undefined ? null : { [side + 'n']: key }), ...more });
  }
  startAt(value?: any, key?: string): Query {
    return this.bound_('s', value, key);
  }
  endAt(value?: any, key?: string): Query {
    return this.bound_('e', value, key);
  }
  equalTo(value: any, key?: string): Query {
    return this.startAt(value, key).endAt(value, key);
  }

  toString(): string {
    return this.database_.host_.origin_.replace(/^ws/, 'http') + '/' + this.path_.map(encodeURIComponent).join('/');
  }
}

/** A place, and the ways to write there. */
export class Reference extends Query {
  child_(keys: Path): Reference {
    return new Reference(this.database_, this.path_.concat(keys));
  }
  child(path: string): Reference {
    return new Reference(this.database_, checkedPath(path, this.path_));
  }
  parent_(): Reference | null {
    return this.path_.length ? new Reference(this.database_, this.path_.slice(0, -1)) : null;
  }
  key_(): string | null {
    return this.path_.length ? this.path_[this.path_.length - 1] : null;
  }

  /** What `set` and its like do: here at once. */
  change_(action: string, path: Path, body: any, sets: [Path, Node][], call?: Callback): Promise<void> {
    const done = change(this.database_, action, path, body, sets, call);
    overruleTransactions(this.database_, sets.map((set) => set[0]));
    return done;
  }

  set!: (value: any, call?: Callback) => Promise<void>;
  remove!: (call?: Callback) => Promise<void>;
  setWithPriority!: (value: any, priority: any, call?: Callback) => Promise<void>;
  update!: (values: any, call?: Callback) => Promise<void>;

  setPriority(priority: any, call?: Callback): Promise<void> {
    checkWritable(this.path_);
    checkPriority(priority);
    const path = this.path_.concat('.priority');
    return this.change_('p', path, priority, [[path, nodeFrom(priority)]], call);
  }

  /** A new child whose key is after all that were made before; it can be waited for if a value is given. */
  push(value?: any, call?: Callback): any {
    const child = this.child_([pushID(this.database_.now_())]);
    const plain = this.child_([child.key_()!]);
    const promise = value === undefined || value === null ? tellBoth(Promise.resolve(), call) : child.set(value, call);
    const result = promise.then(() => plain);
    if (call) result.catch(() => {});
    (child as any).then = result.then.bind(result);
    (child as any).catch = result.catch.bind(result);
    return child;
  }

  transaction(change: (value: any) => any, call?: any, isShown?: boolean): Promise<any> {
    checkWritable(this.path_);
    if (typeof change !== 'function') fail('No function');
    const promise = new Promise<Outcome>((done) =>
      new Transaction(this.database_, this.path_, change, isShown === false, done));
    const result = promise.then((outcome) => {
      const snapshot = new Snapshot(outcome.node_, this, {});
      if (call) this.database_.guard_(() => call(outcome.error_, outcome.isCommitted_, snapshot));
      if (outcome.error_) throw outcome.error_;
      return { committed: outcome.isCommitted_, snapshot };
    });
    if (call) result.catch(() => {});
    return result;
  }

  onDisconnect(): OnDisconnect {
    return new OnDisconnect(this.database_, this.path_);
  }
}

/** What the server does when this connection ends, once. */
export class OnDisconnect {
  constructor(readonly database_: Database, readonly path_: Path) {}

  change_(action: string, path: Path, body: any, sets: [Path, Node][], call?: Callback): Promise<void> {
    return change(this.database_, 'o' + action.replace('p', ''), path, body, sets, call);
  }

  set!: (value: any, call?: Callback) => Promise<void>;
  remove!: (call?: Callback) => Promise<void>;
  setWithPriority!: (value: any, priority: any, call?: Callback) => Promise<void>;
  update!: (values: any, call?: Callback) => Promise<void>;

  cancel(call?: Callback): Promise<void> {
    return this.change_('c', this.path_, null, [], call);
  }
}

// MARK: Changes, now or when the connection ends

type Writer = Reference | OnDisconnect;

const changes = {
  set(this: Writer, value: any, call?: Callback): Promise<void> {
    checkWritable(this.path_);
    checkValue(value, this.path_);
    const node = nodeFrom(value);
    return this.change_('p', this.path_, node.json_(true), [[this.path_, node]], call);
  },
  remove(this: Writer, call?: Callback): Promise<void> {
    return this.set(null, call);
  },
  setWithPriority(this: Writer, value: any, priority: any, call?: Callback): Promise<void> {
    checkPriority(priority);
    const isObject = value && typeof value === 'object' && !('.value' in value) && !('.sv' in value);
    const withIt = isObject ? { ...value, '.priority': priority } : { '.value': value, '.priority': priority };
    return this.set(withIt, call);
  },
  update(this: Writer, values: any, call?: Callback): Promise<void> {
    checkWritable(this.path_);
    const sets = checkedUpdate(values, this.path_).map(([path, value]): [Path, Node] => [path, nodeFrom(value)]);
    return sets.length ? this.change_('m', this.path_, values, sets, call) : tellBoth(Promise.resolve(), call);
  },
};
Object.assign(Reference.prototype, changes);
Object.assign(OnDisconnect.prototype, changes);
