// A stand-in for WeChat's `wx`, written from its documentation: what a mini-program may call, and what goes wrong.
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');
const vm = require('vm');
const { inside } = require('./support');

const socketsAtMost = 5;
/** A program in the background keeps its network for so long. */
const backgroundMilliseconds = 5000;
const storageKeyBytes = 1024 * 1024;
const storageBytes = 10 * 1024 * 1024;

/** Members that are not there in a mini-program: whoever asks for one is written down. */
const foreign = [
  'window', 'self', 'document', 'navigator', 'location', 'localStorage', 'sessionStorage', 'XMLHttpRequest', 'WebSocket',
  'fetch', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'atob', 'btoa', 'crypto', 'process', 'Buffer', 'Event',
  'EventTarget', 'AbortController', 'global', 'queueMicrotask', 'structuredClone', 'performance', 'indexedDB', 'my', 'tt',
];

/** All that were made, so that a test file can end. */
const phones = new Set();
const killAll = () => phones.forEach((phone) => phone.kill());

/** A phone: its network, its storage, and the programs that are started on it. */
class Phone {
  constructor({ name = 'wx', backgroundMilliseconds: grace = backgroundMilliseconds } = {}) {
    this.name = name;
    this.grace = grace;
    this.storage = new Map();
    this.sockets = new Set();
    this.timers = new Set();
    phones.add(this);
    this.isConnected = true;
    this.isInFront = true;
    this.isCutOff = false;
    this.asBytes = false;
    this.delay = () => 0;
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.connections = 0;
    this.foreignUses = [];
    this.loginCode = 'code-1';
    this.userInfo = { rawData: '{}', signature: 's', encryptedData: 'e', iv: 'i' };
    this.listeners = { show: [], hide: [], network: [] };
    this.frames = [];
    this.wx = this.makeMini();
  }

  // MARK: What happens to a phone

  /** The user leaves the program; after five seconds its network is gone. */
  hide() {
    if (!this.isInFront) return;
    this.isInFront = false;
    for (const call of this.listeners.hide) call({});
    this.killer = setTimeout(() => {
      this.isCutOff = true;
      for (const socket of [...this.sockets]) socket.die({ code: 1006, reason: 'interrupted' });
    }, this.grace);
  }

  show() {
    if (this.isInFront) return;
    this.isInFront = true;
    this.isCutOff = false;
    clearTimeout(this.killer);
    for (const call of this.listeners.show) call({});
  }

  /** The network goes or comes, and the program is told. */
  network(isConnected) {
    this.isConnected = isConnected;
    if (!isConnected) for (const socket of [...this.sockets]) socket.die({ code: 1006, reason: 'abnormal closure' });
    for (const call of this.listeners.network) call({ isConnected, networkType: isConnected ? 'wifi' : 'none' });
  }

  /** Connections break, and the program hears of it. */
  cut() {
    for (const socket of [...this.sockets]) socket.die({ code: 1006, reason: 'abnormal closure' });
  }

  /** Connections stop to carry anything, and nobody hears of it. */
  freeze() {
    for (const socket of this.sockets) socket.isFrozen = true;
  }

  /** The program is killed; what is stored stays. */
  kill() {
    clearTimeout(this.killer);
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    for (const socket of [...this.sockets]) socket.die({}, true);
    this.listeners = { show: [], hide: [], network: [] };
    this.wx = this.makeMini();
  }

  // MARK: The program

  /** Runs a CommonJS file as a mini-program's: with the platform's globals and no others. */
  load(file) {
    this.context = this.context || this.makeContext();
    return this.require(path.resolve(file));
  }

  require(file) {
    this.modules = this.modules || new Map();
    if (!file.endsWith('.js')) file += '.js';
    if (this.modules.has(file)) return this.modules.get(file).exports;
    const module = { exports: {} };
    this.modules.set(file, module);
    const code = `(function (require, module, exports) {${fs.readFileSync(file, 'utf8')}\n})`;
    const run = vm.runInContext(code, this.context, { filename: file });
    run((name) => this.require(path.resolve(path.dirname(file), name)), module, module.exports);
    return module.exports;
  }

  /** Members that this phone's programs do not find. */
  get foreign() {
    return foreign;
  }

  makeContext() {
    const globals = {
      [this.name]: this.wx, console,
      setTimeout: (call, after) => this.timer(setTimeout, call, after),
      setInterval: (call, after) => this.timer(setInterval, call, after),
      clearTimeout, clearInterval,
    };
    Object.assign(globals, this.extraGlobals);
    for (const name of this.foreign) {
      if (name in globals) continue;
      Object.defineProperty(globals, name, {
        get: () => {
          this.foreignUses.push(name);
          return undefined;
        },
      });
    }
    return vm.createContext(globals);
  }

  /** A program's timers go with it. */
  timer(make, call, after) {
    const timer = make(() => {
      if (make === setTimeout) this.timers.delete(timer);
      call();
    }, after);
    this.timers.add(timer);
    return timer;
  }

  /** A program that has been killed is started again: nothing of it is left but what it stored. */
  restart() {
    this.kill();
    this.context = undefined;
    this.modules = undefined;
  }

  // MARK: The platform's members

  makeMini() {
    const phone = this;
    const later = (call, value) => call && setTimeout(() => call(value), 0);
    const refuse = (options, api, text) => {
      const error = { errMsg: `${api}:fail ${text}` };
      later(options.fail, error);
      later(options.complete, error);
    };
    const alive = new Set();
    return {
      connectSocket(options) {
        const task = new SocketTask(phone, options);
        if (phone.sockets.size >= socketsAtMost) refuse(options, 'connectSocket', 'exceed max websocket connections');
        else if (phone.isCutOff) refuse(options, 'connectSocket', 'interrupted');
        else if (!phone.isConnected) refuse(options, 'connectSocket', 'network is down');
        else task.open();
        return task;
      },
      request(options) {
        if (phone.isCutOff) return refuse(options, 'request', 'interrupted');
        if (!phone.isConnected) return refuse(options, 'request', 'network is down');
        const address = new (require('url').URL)(options.url);
        const body = options.data === undefined ? '' : typeof options.data === 'string' ? options.data : JSON.stringify(options.data);
        if (options.method === 'GET') for (const key of Object.keys(options.data || {})) address.searchParams.set(key, options.data[key]);
        const request = http.request(address, { method: options.method || 'GET', headers: options.header }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part) => (text += part)).on('end', () => {
            let data = text;
            try {
              data = JSON.parse(text);
            } catch (error) { /* Then it is handed over as text. */ }
            later(options.success, { data, statusCode: answer.statusCode, header: answer.headers, errMsg: 'request:ok' });
          });
        });
        request.on('error', () => refuse(options, 'request', 'connect error'));
        if (options.method !== 'GET') request.write(body);
        request.end();
        return { abort: () => request.destroy() };
      },
      getStorageSync: (key) => (phone.storage.has(key) ? JSON.parse(phone.storage.get(key)) : ''),
      setStorageSync(key, value) {
        const text = JSON.stringify(value);
        if (text.length > storageKeyBytes) throw new Error('setStorageSync:fail data exceed max size 1MB');
        let total = text.length;
        for (const [other, kept] of phone.storage) if (other !== key) total += kept.length;
        if (total > storageBytes) throw new Error('setStorageSync:fail exceed storage max size 10MB');
        phone.storage.set(key, text);
      },
      removeStorageSync: (key) => void phone.storage.delete(key),
      login: (options) => later(options.success, { code: phone.loginCode, errMsg: 'login:ok' }),
      getUserInfo: (options) => (phone.userInfo
        ? later(options.success, Object.assign({ errMsg: 'getUserInfo:ok' }, phone.userInfo))
        : later(options.fail, { errMsg: 'getUserInfo:fail auth deny' })),
      onAppShow: (call) => void phone.listeners.show.push(call),
      onAppHide: (call) => void phone.listeners.hide.push(call),
      onNetworkStatusChange: (call) => void phone.listeners.network.push(call),
      getNetworkType: (options) => later(options.success, { networkType: phone.isConnected ? 'wifi' : 'none' }),
      showToast: (options) => void (phone.toast = options.title),
      navigateTo: (options) => void (phone.route = options.url),
      navigateBack: () => void (phone.route = 'back'),
      setNavigationBarTitle: (options) => void (phone.title = options.title),
      showModal: (options) => later(options.success, phone.modal || { confirm: true, content: '' }),
      showActionSheet: (options) => later(options.success, { tapIndex: phone.tapIndex || 0 }),
      setClipboardData: (options) => later(options.success, {}),
      stopPullDownRefresh() {},
      alive,
    };
  }
}

/** One socket as a program sees it. */
class SocketTask {
  constructor(phone, options) {
    this.phone = phone;
    this.options = options;
    this.calls = { open: [], message: [], close: [], error: [] };
    this.isOpen = false;
    this.isOver = false;
    this.isFrozen = false;
    /** Messages keep their order whatever the delay. */
    this.arriving = Promise.resolve();
    this.leaving = Promise.resolve();
  }

  onOpen(call) { this.calls.open.push(call); }
  onMessage(call) { this.calls.message.push(call); }
  onClose(call) { this.calls.close.push(call); }
  onError(call) { this.calls.error.push(call); }

  open() {
    const { phone } = this;
    if (!/^wss?:\/\//.test(this.options.url)) throw new Error('connectSocket:fail invalid url');
    phone.sockets.add(this);
    phone.connections++;
    this.socket = inside().nodePlatform().connect_(this.options.url, {
      open_: () => {
        this.isOpen = true;
        if (this.options.success) this.options.success({ errMsg: 'connectSocket:ok' });
        for (const call of this.calls.open) call({ header: {} });
      },
      text_: (text) => {
        this.arriving = this.wait(this.arriving).then(() => {
          if (this.isOver || this.isFrozen) return;
          phone.bytesIn += Buffer.byteLength(text);
          phone.frames.push('< ' + text);
          const data = phone.asBytes ? new Uint8Array(Buffer.from(text)).buffer : text;
          for (const call of this.calls.message) call({ data });
        });
      },
      gone_: (reason) => {
        if (this.isOpen) return this.arriving.then(() => this.isFrozen || this.die({ code: 1006, reason }));
        for (const call of this.calls.error) call({ errMsg: 'connectSocket:fail ' + reason });
        this.die({ code: 1006, reason });
      },
    });
  }

  /** Only a wait when there is a delay: most tests have none. */
  wait(before) {
    const delay = this.phone.delay();
    return delay ? before.then(() => new Promise((done) => setTimeout(done, delay))) : before;
  }

  send({ data, success, fail }) {
    if (!this.isOpen || this.isOver) {
      if (fail) setTimeout(() => fail({ errMsg: 'sendSocketMessage:fail WebSocket is not connected' }), 0);
      return;
    }
    this.leaving = this.wait(this.leaving).then(() => {
      if (this.isOver || this.isFrozen) return;
      this.phone.bytesOut += Buffer.byteLength(data);
      this.phone.frames.push('> ' + data);
      this.socket.send_(data);
    });
    if (success) setTimeout(() => success({ errMsg: 'sendSocketMessage:ok' }), 0);
  }

  close({ code = 1000, reason = '', success } = {}) {
    if (this.isOver) return;
    this.die({ code, reason });
    if (success) setTimeout(() => success({}), 0);
  }

  /** The socket is over; a program that was killed hears nothing more. */
  die(event, isSilent) {
    if (this.isOver) return;
    this.isOver = true;
    this.phone.sockets.delete(this);
    if (this.socket) this.socket.close_();
    if (!isSilent) setTimeout(() => this.calls.close.forEach((call) => call(event)), 0);
  }
}

module.exports = { Phone, killAll };
