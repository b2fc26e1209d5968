// Stand-ins for the platforms beside WeChat, each with what its documentation names and nothing else.
'use strict';
const { Phone } = require('./wx');

const names = ['wx', 'my', 'tt', 'swan', 'qq', 'ks', 'uni', 'Taro'];
const pick = (from, ...members) => Object.fromEntries(members.map((member) => [member, from[member]]));
const shared = ['onAppShow', 'onAppHide', 'onNetworkStatusChange', 'getNetworkType'];
const storage = ['getStorageSync', 'setStorageSync', 'removeStorageSync'];

/** What each platform's one global holds; `wx` is WeChat's, whose network and storage they share. */
const globals = {
  /** Alipay: options in objects, answers in objects, `headers`, and a socket task only if `multiple` is said. */
  my(wx, phone) {
    const wrapped = (message) => ({ data: { data: message.data, isBuffer: typeof message.data !== 'string' } });
    const tasked = (options) => {
      if (!options.multiple) throw new Error('only one socket without multiple');
      const task = wx.connectSocket(options);
      return {
        send: (given) => task.send(given), close: (given) => task.close(given),
        onOpen: (call) => task.onOpen(call), onClose: (call) => task.onClose(call), onError: (call) => task.onError(call),
        onMessage: (call) => task.onMessage((message) => call(wrapped(message))),
      };
    };
    return {
      ...pick(wx, ...shared),
      connectSocket: tasked,
      request: ({ headers, data, method = 'GET', ...rest }) => wx.request({
        ...rest, method, header: headers, data,
        success: (answer) => rest.success({ data: answer.data, status: answer.statusCode, headers: answer.header }),
      }),
      getStorageSync: ({ key }) => ({ data: phone.storage.has(key) ? JSON.parse(phone.storage.get(key)) : null, success: true }),
      setStorageSync: ({ key, data }) => wx.setStorageSync(key, data),
      removeStorageSync: ({ key }) => wx.removeStorageSync(key),
      getAuthCode: ({ scopes, success, fail }) => (/^auth_(base|user)$/.test(scopes)
        ? setTimeout(() => success({ authCode: phone.loginCode, authSuccessScopes: [scopes] }), 0) : fail({ error: 11 })),
    };
  },
  /** Alipay before it had tasks: one socket, whose events are global. */
  oldMy(wx, phone) {
    const calls = { Open: [], Message: [], Close: [], Error: [] };
    let task = null;
    const tell = (event) => (value) => calls[event].forEach((call) => call(value));
    return {
      ...globals.my(wx, phone),
      connectSocket(options) {
        if (task && !task.isOver) return void setTimeout(() => options.fail({ error: 1, errorMessage: 'one socket only' }), 0);
        task = wx.connectSocket(options);
        task.onOpen(tell('Open'));
        task.onMessage((message) => tell('Message')({ data: message.data, isBuffer: false }));
        task.onClose(tell('Close'));
        task.onError(tell('Error'));
        return undefined;
      },
      sendSocketMessage: (options) => task.send(options),
      closeSocket: (options) => task && task.close(options),
      ...Object.fromEntries(Object.keys(calls).map((event) => [`onSocket${event}`, (call) => void calls[event].push(call)])),
    };
  },
  tt: (wx) => pick(wx, ...shared, ...storage, 'connectSocket', 'request', 'login', 'getUserInfo'),
  /** Baidu: `getLoginCode` has come instead of `login`, and users are told of under other names. */
  swan: (wx, phone) => ({
    ...pick(wx, ...shared, ...storage, 'connectSocket', 'request'),
    getLoginCode: wx.login,
    getUserInfo: ({ success }) => setTimeout(() => success({ userInfo: { nickName: 'Ann' }, data: 'd', iv: 'i' }), 0),
  }),
  qq: (wx) => pick(wx, ...shared, ...storage, 'connectSocket', 'request', 'login', 'getUserInfo'),
  /** Kuaishou: nothing of the user but by a button. */
  ks: (wx) => pick(wx, ...shared, ...storage, 'connectSocket', 'request', 'login'),
  /** uni-app: a task only if there is a callback, else a promise. */
  uni: (wx) => ({
    ...pick(wx, ...shared, ...storage, 'request', 'login', 'getUserInfo'),
    connectSocket: (options) => (options.success || options.complete ? wx.connectSocket(options) : Promise.resolve(wx.connectSocket(options))),
  }),
  /** Taro: always a promise of a task. */
  Taro: (wx) => ({
    ...pick(wx, ...shared, ...storage, 'login', 'getUserInfo'),
    connectSocket: (options) => Promise.resolve(wx.connectSocket(options)),
    request: (options) => {
      wx.request(options);
      return Promise.resolve();
    },
  }),
};

/** A phone with another platform's program. */
class OtherPhone extends Phone {
  constructor(kind, options = {}) {
    super({ ...options, name: kind === 'oldMy' ? 'my' : kind });
    this.kind = kind;
    this.userInfo = null;
    this.wx = this.makeMini();
  }

  makeMini() {
    const wx = super.makeMini();
    // The first call comes from the constructor above ours.
    return this.kind ? globals[this.kind](wx, this) : wx;
  }

  get foreign() {
    return [...super.foreign, ...names].filter((name) => name !== this.name);
  }
}

module.exports = { OtherPhone };
