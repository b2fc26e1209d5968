import { Node, compareKeys, compareLeaves, compareValues, firstKey, lastKey, leaf } from './node';
import { pathOf } from './check';
import { Entry, Order } from './sorted';

/** What a query asks for, as the wire names it. */
export interface Filter {
  /** The order: `.key`, `.value`, a path below the child, or by priority if there is none. */
  i?: string;
  /** Bounds: values, and keys among children of that value; `sin` and `ein` are false if they are left out. */
  sp?: any; sn?: string; sin?: boolean;
  ep?: any; en?: string; ein?: boolean;
  /** How many, and from which end. */
  l?: number; vf?: 'l' | 'r';
}

/** The text by which two equal queries know each other; empty for one that leaves nothing out. */
export const filterText = (filter: Filter): string =>
  isWhole(filter) ? '' : JSON.stringify(filter, Object.keys(filter).sort());

export const isWhole = (filter: Filter): boolean =>
  filter.sp === undefined && filter.ep === undefined && filter.l === undefined;

export const indexed = (filter: Filter, key: string, child: Node): Node => {
  const index = filter.i;
  return index === undefined ? child.child_('.priority')
    : index === '.key' ? leaf(key)
      : index === '.value' ? child
        : child.at_(pathOf(index));
};

export const orderOf = (filter: Filter): Order<Node> => {
  const index = filter.i;
  if (index === '.key') return (a, _, b) => compareKeys(a, b);
  if (index === undefined) {
    return (a, x, b, y) => compareLeaves(x.priority_, y.priority_) || compareKeys(a, b);
  }
  return (a, x, b, y) => compareValues(indexed(filter, a, x), indexed(filter, b, y)) || compareKeys(a, b);
};

/** Whether a child lies between the bounds. */
export function isWithin(filter: Filter, key: string, child: Node): boolean {
  const byKey = filter.i === '.key';
  const value = indexed(filter, key, child);
  const side = (bound: any, boundKey: string): number =>
    byKey ? compareKeys(key, bound) : compareValues(value, leaf(bound)) || compareKeys(key, boundKey);
  const { sp, sn = firstKey, sin, ep, en = lastKey, ein } = filter;
  const start = sp === undefined ? 1 : side(sp, sn);
  const end = ep === undefined ? -1 : side(ep, en);
  return (start > 0 || (!start && sin !== false)) && (end < 0 || (!end && ein !== false));
}

/** The children of a value in a query's order. */
export function childrenOf(node: Node, filter: Filter): Entry<Node>[] {
  const order = orderOf(filter);
  return (node.children_ || []).slice().sort((a, b) => order(a[0], a[1], b[0], b[1]));
}
