import { Node, empty, keyOrder } from './node';
import { Filter, childrenOf, filterText, indexed, isWhole, isWithin, orderOf } from './query';
import { Order, Sorted, changing, differences, keyBefore } from './sorted';

export type EventType = 'value' | 'child_added' | 'child_changed' | 'child_removed' | 'child_moved';

/** What has happened, in a view: `before_` is the key of the child before it, in the view's order. */
export interface ViewEvent { type_: EventType; key_: string | null; node_: Node; before_?: string | null }

/** Somebody who listens: `call_` for events of the type, `cancel_` if the listen ends by the server's will. */
export interface Listener {
  type_: EventType;
  call_: (event: ViewEvent) => void;
  cancel_: (error: Error) => void;
  /** What the program calls it by. */
  callback_?: unknown;
  context_?: unknown;
  isGone_?: boolean;
}

/**
 * What one query shows at one place.
 *
 * Its events are what has changed between two values, so they are right whatever the reason of the change.
 */
export class View {
  readonly id_: string;
  readonly order_: Order<Node>;
  listeners_: Listener[] = [];
  /** What is shown: the place's value, with no more children than the query lets through. */
  node_ = empty;
  /** All of the value is known. */
  isKnown_ = false;
  private source_ = empty;
  /** The children between the bounds, and those that the limit leaves, in the query's order. */
  private within_: Sorted<Node> = null;
  private window_: Sorted<Node> = null;
  private hasWindow_ = false;

  constructor(readonly path_: readonly string[], readonly filter_: Filter) {
    // An order alone leaves nothing out, but it is another order.
    this.id_ = path_.join('/') + '?' + filterText(filter_) + (isWhole(filter_) ? filter_.i || '' : '');
    this.order_ = orderOf(filter_);
  }

  /** Takes what the place holds now, and returns what has happened for those who listen. */
  update_(source: Node, isKnown: boolean): ViewEvent[] {
    const events: ViewEvent[] = [];
    const wasKnown = this.isKnown_;
    const before = this.node_;
    this.isKnown_ = isKnown;
    if (source !== this.source_ || !this.hasWindow_) {
      const changes = this.changes_(source);
      const order: EventType[] = ['child_removed', 'child_added', 'child_moved', 'child_changed'];
      for (const type_ of order) {
        for (const [key_, old, now] of changes) {
          const matches = type_ === 'child_removed' ? !now
            : type_ === 'child_added' ? !old
              : !!old && !!now && (type_ === 'child_changed' || this.hasMoved_(key_, old, now));
          if (!matches) continue;
          if (!now) events.push({ type_, key_, node_: old! });
          else events.push({ type_, key_, node_: now, before_: keyBefore(this.window_, key_, now, this.order_) });
        }
      }
    }
    if (isKnown && (!wasKnown || !before.equals_(this.node_))) {
      events.push({ type_: 'value', key_: null, node_: this.node_ });
    }
    return events;
  }

  /** What somebody who begins to listen is told first. */
  initial_(): ViewEvent[] {
    const events: ViewEvent[] = [];
    let before_: string | null = null;
    this.showWindow_();
    for (const [key_, node_] of this.window_ || []) {
      events.push({ type_: 'child_added', key_, node_, before_ });
      before_ = key_;
    }
    if (this.isKnown_) events.push({ type_: 'value', key_: null, node_: this.node_ });
    return events;
  }

  private hasMoved_(key: string, old: Node, now: Node): boolean {
    return !indexed(this.filter_, key, old).equals_(indexed(this.filter_, key, now));
  }

  /** Makes the window, which nobody needs who only wants the value of a whole place. */
  private showWindow_(): void {
    if (this.hasWindow_) return;
    this.hasWindow_ = true;
    const source = this.source_;
    this.source_ = empty;
    this.changes_(source);
  }

  private changes_(source: Node): [string, Node | undefined, Node | undefined][] {
    const { filter_: filter, order_: order } = this;
    const whole = isWhole(filter);
    if (!this.hasWindow_ && whole && !this.listeners_.some((listener) => listener.type_ !== 'value')) {
      this.source_ = this.node_ = source;
      return [];
    }
    const old = this.hasWindow_ ? this.source_ : empty;
    let within = this.within_;
    if (within) {
      differences(old.children_, source.children_, keyOrder, (key, was, is) => {
        if (was && isWithin(filter, key, was)) within = changing(within, key, was, order);
        if (is && isWithin(filter, key, is)) within = changing(within, key, is, order, is);
      });
    } else {
      within = childrenOf(source, filter).filter((entry) => isWithin(filter, entry[0], entry[1]));
    }
    this.hasWindow_ = true;
    const before = this.window_;
    const { l: limit } = filter;
    const window = !limit || !within ? within : filter.vf === 'r' ? within.slice(-limit) : within.slice(0, limit);
    this.source_ = source;
    this.within_ = within;
    this.window_ = window;

    // A child that moves leaves one place and comes to another.
    const changes: Record<string, [string, Node | undefined, Node | undefined]> = {};
    const list: [string, Node | undefined, Node | undefined][] = [];
    differences(before, window, order, (key, was, is) => {
      const id = '$' + key;
      const change = changes[id];
      if (!change) list.push((changes[id] = [key, was, is]));
      else if (was) change[1] = was;
      else change[2] = is;
    });
    let node = whole ? source : this.node_;
    const real = list.filter(([key, was, is]) => {
      if (!whole) node = node.withChild_(key, is || empty);
      return !was || !is || !was.equals_(is);
    });
    // A limit or a bound shows children only: never a leaf, and no priority of the place.
    this.node_ = node;
    real.sort((a, b) => order(a[0], (a[2] || a[1])!, b[0], (b[2] || b[1])!));
    return real;
  }
}
