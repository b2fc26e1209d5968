import { Entry, Order, Sorted, changing, find, size } from './sorted';
import { childrenOf } from './query';
import { sha1 } from './sha1';

export type Priority = string | number | null;
/** `{'.sv': …}`: something that the server will fill in. */
export interface Placeholder { '.sv': unknown }
export type Leaf = string | number | boolean | Placeholder;
export type Path = readonly string[];

const priorityKey = '.priority';

/** A value of the tree with its priority. It never changes; what it shares with other versions is not copied. */
export class Node {
  /** The hash, once it has been asked for. */
  private hash_?: string;

  constructor(
    readonly leaf_: Leaf | null,
    readonly children_: Sorted<Node>,
    readonly priority_: Priority | Placeholder = null,
  ) {}

  get isEmpty_(): boolean {
    return this.leaf_ === null && !this.children_;
  }

  child_(key: string): Node {
    if (key === priorityKey) return leaf(this.priority_ as Leaf | null);
    return find(this.children_, key, empty, keyOrder) || empty;
  }

  at_(path: Path, from = 0): Node {
    let node: Node = this;
    for (let i = from; i < path.length && !node.isEmpty_; i++) node = node.child_(path[i]);
    return node;
  }

  withPriority_(priority: Priority | Placeholder): Node {
    return this.isEmpty_ || priority === this.priority_ ? this : new Node(this.leaf_, this.children_, priority);
  }

  withChild_(key: string, value: Node): Node {
    if (key === priorityKey) return this.withPriority_(value.leaf_ as Priority);
    if (value.isEmpty_ && this.child_(key).isEmpty_) return this;
    const children = changing(this.children_, key, empty, keyOrder, value.isEmpty_ ? undefined : value);
    return children ? new Node(null, children, this.priority_) : empty;
  }

  /** This value with another at a path below it. */
  with_(path: Path, value: Node, from = 0): Node {
    if (from >= path.length) return value;
    const key = path[from];
    if (key === priorityKey) return this.withChild_(key, value);
    const old = this.child_(key);
    const now = old.with_(path, value, from + 1);
    return now === old ? this : this.withChild_(key, now);
  }

  /** As JSON; with `exports` priorities are kept and nothing becomes an array. */
  json_(exports?: boolean): any {
    if (this.isEmpty_) return null;
    const priority = exports && this.priority_ !== null ? { [priorityKey]: this.priority_ } : null;
    if (!this.children_) return priority ? { '.value': this.leaf_, ...priority } : this.leaf_;
    const object: any = {};
    let largest = -1;
    for (const [key, value] of this.children_) {
      object[key] = value.json_(exports);
      largest = largest < -1 || !/^(0|[1-9]\d{0,9})$/.test(key) ? -2 : Math.max(largest, +key);
    }
    if (exports || largest < 0 || largest >= 2 * this.children_.length) return Object.assign(object, priority);
    const list: any[] = [];
    for (let i = 0; i <= largest; i++) list.push(i in object ? object[i] : null);
    return list;
  }

  equals_(other: Node): boolean {
    if (this === other) return true;
    if (size(this.children_) !== size(other.children_) || !sameLeaf(this.priority_, other.priority_)) return false;
    return this.children_
      ? this.children_.every(([key, value], i) => key === other.children_![i][0] && value.equals_(other.children_![i][1]))
      : sameLeaf(this.leaf_, other.leaf_);
  }

  /** The hash by which a server knows what is here; that of nothing is empty. */
  get digest_(): string {
    return this.hash_ === undefined ? (this.hash_ = sha1(this.hashText_())) : this.hash_;
  }

  private hashText_(): string {
    if (this.isEmpty_) return '';
    let text = this.priority_ === null ? '' : 'priority:' + leafText(this.priority_) + ':';
    if (!this.children_) return text + leafText(this.leaf_);
    for (const [key, child] of childrenOf(this, {})) text += ':' + key + ':' + child.digest_;
    return text;
  }
}

export const empty = new Node(null, null);

export const leaf = (value: Leaf | null): Node => (value === null ? empty : new Node(value, null));

const sameLeaf = (a: unknown, b: unknown): boolean =>
  a === b || (!!a && typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));

function leafText(value: unknown): string {
  return typeof value === 'number' ? 'number:' + doubleText(value) : typeof value + ':' + value;
}

/** The bits of a number, most significant first, as hexadecimal digits. */
function doubleText(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return [0, 4].map((at) => (view.getUint32(at) + 0x100000000).toString(16).slice(1)).join('');
}

/** Reads JSON in export form. */
export function nodeFrom(json: any, priority: Priority | Placeholder = null): Node {
  if (json === null || json === undefined) return empty;
  if (typeof json !== 'object') return new Node(json, null, priority);
  if (json[priorityKey] !== undefined) priority = json[priorityKey];
  if ('.value' in json) return nodeFrom(json['.value'], priority);
  if ('.sv' in json) return new Node(json, null, priority);
  const list: Entry<Node>[] = [];
  for (const [key, item] of Object.entries(json)) {
    if (key[0] === '.') continue;
    const value = nodeFrom(item);
    if (!value.isEmpty_) list.push([key, value]);
  }
  if (!list.length) return empty;
  list.sort((a, b) => compareKeys(a[0], b[0]));
  return new Node(null, list, priority);
}

// MARK: Orders

const integer = (key: string): number | null => {
  if (!/^-?0*\d{1,10}$/.test(key)) return null;
  const value = +key;
  return value === (value | 0) ? value : null;
};

/** Names that stand for before and after every key, in queries. */
export const firstKey = '[MIN_NAME]';
export const lastKey = '[MAX_NAME]';

export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  if (a === firstKey || b === lastKey) return -1;
  if (b === firstKey || a === lastKey) return 1;
  const x = integer(a);
  const y = integer(b);
  if (x !== null) return y === null ? -1 : x - y || a.length - b.length;
  return y !== null || a > b ? 1 : -1;
}

export const keyOrder: Order<Node> = (a, _, b) => compareKeys(a, b);

const rankOf = (value: unknown): number =>
  value === null ? 0
    : typeof value === 'boolean' ? 2
      : typeof value === 'number' ? 3
        : typeof value === 'string' ? 4
          : 1;

/** Nothing, then false and true, numbers, strings. */
export function compareLeaves(a: any, b: any): number {
  return rankOf(a) - rankOf(b) || (a === b || rankOf(a) < 2 ? 0 : a < b ? -1 : 1);
}

/** As `compareLeaves`, and objects after all. */
export function compareValues(a: Node, b: Node): number {
  return a.children_ || b.children_
    ? (a.children_ ? 1 : 0) - (b.children_ ? 1 : 0)
    : compareLeaves(a.leaf_, b.leaf_);
}

// MARK: Placeholders

/** Fills in what the server will, as far as one can tell here. */
export function resolved(node: Node, existing: Node, now: number): Node {
  const priority = resolvedLeaf(node.priority_, existing.priority_, now) as Priority;
  if (!node.children_) {
    const value = resolvedLeaf(node.leaf_, existing.leaf_, now);
    return value === node.leaf_ && priority === node.priority_ ? node : new Node(value as Leaf, null, priority);
  }
  let result: Node = node;
  for (const [key, child] of node.children_) {
    const value = resolved(child, existing.child_(key), now);
    if (value !== child) result = result.withChild_(key, value);
  }
  return result.withPriority_(priority);
}

function resolvedLeaf(value: Leaf | null, existing: unknown, now: number): Leaf | null {
  if (value === null || typeof value !== 'object') return value;
  const what: any = value['.sv'];
  if (what === 'timestamp') return now;
  if (what && typeof what.increment === 'number') {
    return (typeof existing === 'number' ? existing : 0) + what.increment;
  }
  return value;
}
