/**
 * Entries in order, never changed once made: a change is a copy of the list, whose entries are the same.
 *
 * Lists are shorter than what a phone can show, and to copy one of ten thousand takes some microseconds: less than any
 * tree whose parts are shared would, and a tenth of the code.
 */
export type Entry<V> = readonly [key: string, value: V];
export type Sorted<V> = readonly Entry<V>[] | null;
/** Compares two entries: negative, 0 or positive. */
export type Order<V> = (key1: string, value1: V, key2: string, value2: V) => number;

export const size = (list: Sorted<unknown>): number => (list ? list.length : 0);

/** How many entries are before a place. */
function placeOf<V>(list: Sorted<V>, key: string, value: V, order: Order<V>): number {
  let from = 0;
  let to = size(list);
  while (from < to) {
    const middle = (from + to) >> 1;
    if (order(list![middle][0], list![middle][1], key, value) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

const isAt = <V>(list: Sorted<V>, at: number, key: string): boolean => at < size(list) && list![at][0] === key;

export function find<V>(list: Sorted<V>, key: string, value: V, order: Order<V>): V | undefined {
  const at = placeOf(list, key, value, order);
  return isAt(list, at, key) ? list![at][1] : undefined;
}

/** With an entry, which replaces the one of its key at its place; or without the one, if there is nothing else. */
export function changing<V>(list: Sorted<V>, key: string, old: V, order: Order<V>, value?: V): Sorted<V> {
  const at = placeOf(list, key, old, order);
  const copy = list ? list.slice() : [];
  copy.splice(at, isAt(list, at, key) ? 1 : 0, ...(value === undefined ? [] : [[key, value] as Entry<V>]));
  return copy.length ? copy : null;
}

/** The key of the entry before a place. */
export function keyBefore<V>(list: Sorted<V>, key: string, value: V, order: Order<V>): string | null {
  const at = placeOf(list, key, value, order);
  return at ? list![at - 1][0] : null;
}

/** Visits the places, in order, at which two lists hold different entries. */
export function differences<V>(
  old: Sorted<V>, now: Sorted<V>, order: Order<V>, visit: (key: string, old: V | undefined, now: V | undefined) => void,
): void {
  let i = 0;
  let j = 0;
  while (old !== now) {
    const a = old && old[i];
    const b = now && now[j];
    if (!a && !b) return;
    const side = a === b ? 0 : !a ? 1 : !b ? -1 : order(a[0], a[1], b[0], b[1]);
    if (side <= 0) i++;
    if (side >= 0) j++;
    if (a !== b) visit((side > 0 ? b : a)![0], side > 0 ? undefined : a![1], side < 0 ? undefined : b![1]);
  }
}
