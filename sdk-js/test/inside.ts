// What unit tests look into; bundled for them, never shipped.
export * from '../src/sorted';
export * from '../src/node';
export * from '../src/query';
export * from '../src/view';
export * from '../src/sha1';
export * from '../src/pushid';
export * from '../src/check';
export * from '../src/connection';
export { node as nodePlatform } from '../src/platform/node';
