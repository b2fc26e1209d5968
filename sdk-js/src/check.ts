import { Path } from './node';
import { bytesOf } from './sha1';

export const pathOf = (text: string): string[] => String(text).split('/').filter(Boolean);

export const fail = (text: string): never => {
  throw new Error(text);
};

const illegal = /[.#$/[\]\x00-\x1f\x7f]/;

function checkSize(path: Path): string[] {
  if (path.length > 32 || bytesOf(path.join('/')).length > 768) fail('Path too long: ' + path.join('/'));
  return path as string[];
}

/** The path of what a program names, which may be `.info` and below only if it begins there. */
export function checkedPath(text: any, base: Path = []): string[] {
  const keys = pathOf(text);
  if (typeof text !== 'string' || keys.some((key, i) => illegal.test(key) && (i || base.length || key !== '.info'))) {
    fail('Bad path: ' + text);
  }
  return checkSize(base.concat(keys));
}

export function checkWritable(path: Path): void {
  if (path[0] === '.info') fail('.info is read-only');
}

export function checkPriority(priority: any): void {
  if (priority !== null && typeof priority !== 'string' && !Number.isFinite(priority) && !priority['.sv']) {
    fail('Bad priority: ' + priority);
  }
}

/** Stops a program that is about to write something that is no value, and says where that is. */
export function checkValue(value: any, path: Path): void {
  const type = typeof value;
  const where = ' at /' + path.join('/');
  // Of what JavaScript has these are left, numbers that JSON can't tell apart.
  if (!/^(string|number|boolean|object)$/.test(type) || (type === 'number' && !Number.isFinite(value))) fail('Bad value: ' + String(value) + where);
  if (!value || type !== 'object') return;
  for (const [key, item] of Object.entries<any>(value)) {
    if (key === '.priority') checkPriority(item);
    else if (key === '.value') checkValue(item, path);
    else if (key !== '.sv') {
      if (!key || illegal.test(key)) fail('Bad key: ' + key + where);
      checkValue(item, item === null ? path : checkSize(path.concat(key)));
    }
  }
}

/** The places that an update is about, which may not lie in each other. */
export function checkedUpdate(values: any, base: Path): [string[], any][] {
  if (!values || typeof values !== 'object') fail('Bad update');
  const names: string[] = [];
  const list = Object.entries(values).map(([name, value]): [string[], any] => {
    const keys = pathOf(name);
    const isPriority = keys[keys.length - 1] === '.priority';
    if (isPriority) keys.pop();
    if (!keys.length && !isPriority) fail('Bad path: ' + name);
    const path = checkedPath(keys.join('/'), base);
    if (isPriority) path.push('.priority');
    (isPriority ? checkPriority : checkValue)(value, path);
    names.push(path.join('/') + '/');
    return [path, value];
  });
  names.sort().forEach((name, i) => {
    if (i && !name.indexOf(names[i - 1])) fail('Overlapping paths: ' + name);
  });
  return list;
}
