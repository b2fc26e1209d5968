import { Platform, Socket, SocketEvents } from '../platform';
import { textOf } from '../sha1';

// Alipay names some things in its own way. The build knows the platform and folds `PLATFORM === 'my'`, where it stands,
// so other bundles hold nothing of that.

/** The text of a message, whichever way a platform hands it over. */
function messageText(data: any): string {
  if (typeof data === 'string') return data;
  if (PLATFORM === 'my' && data.data !== undefined) return messageText(data.data);
  return textOf(new Uint8Array(data));
}

/**
 * Mini-programs: they are alike in what they call things.
 *
 * `mini` is the platform's one global (`wx`, `my`, `tt`, `swan`, `qq`, `ks`, `uni`, `Taro`). Members that an older base library lacks are left alone.
 */
export function miniProgram(mini: any): Platform {
  const watch = (event: string, tell: (value: any) => void): void => {
    if (mini[event]) mini[event](tell);
  };
  return {
    stopsInBackground_: true,
    connect_: (url, events) => connect(mini, url, events),
    request_: (url, method, data) =>
      new Promise((done, failed) => {
        const header = { 'content-type': 'application/json' };
        const body = PLATFORM === 'my' && method === 'POST' ? JSON.stringify(data) : data;
        mini.request({
          url, method, data: body, [PLATFORM === 'my' ? 'headers' : 'header']: header,
          success: (answer: any) => done(answer.data), fail: failed,
        });
      }),
    storage_: {
      get_: (key) => {
        if (PLATFORM !== 'my') return mini.getStorageSync(key);
        return mini.getStorageSync({ key }).data;
      },
      set_: (key, data) => (PLATFORM === 'my' ? mini.setStorageSync({ key, data }) : mini.setStorageSync(key, data)),
      remove_: (key) => (PLATFORM === 'my' ? mini.removeStorageSync({ key }) : mini.removeStorageSync(key)),
    },
    watchVisibility_: (tell) => {
      watch('onAppShow', () => tell(true));
      watch('onAppHide', () => tell(false));
    },
    watchNetwork_: (tell) => watch('onNetworkStatusChange', (status) => tell(status.isConnected)),
    login_: () => login(mini),
  };
}

function connect(mini: any, url: string, events: SocketEvents): Socket {
  let task: any = null;
  let isOver = false;
  const gone = (): void => {
    if (isOver) return;
    isOver = true;
    events.gone_();
  };
  const close = (): void => {
    // The platform tells of a failure to close by `fail`; without one some throw.
    if (task) task.close({ code: 1000, fail: () => {} });
  };
  const watch = (made: any): void => {
    if (!made || !made.onMessage) return gone();
    task = made;
    if (isOver) return close();
    task.onMessage((message: any) => events.text_(messageText(message.data)));
    task.onClose(gone);
    task.onError(gone);
  };
  const options: any = { url, tcpNoDelay: true, fail: gone };
  if (PLATFORM === 'my') options.multiple = true;
  // Without a callback of success there is no task, but a promise.
  if (PLATFORM === 'uni') options.success = () => {};
  const made = mini.connectSocket(options);
  if (PLATFORM === 'taro' && made && made.then) made.then(watch, gone);
  else if (PLATFORM === 'my' && !made) watch(onlySocket(mini));
  else watch(made);
  return {
    send_: (data) => {
      if (!isOver) task.send({ data, fail: gone });
    },
    close_: () => {
      isOver = true;
      close();
    },
  };
}

/** Who hears of Alipay's one socket now. */
const hearing: Record<string, (value: any) => void> = {};

/** The socket of an Alipay that does not know `multiple`: there is one for the whole program, and no task of its own. */
function onlySocket(my: any): any {
  const task: any = { send: (options: any) => my.sendSocketMessage(options), close: (options: any) => my.closeSocket(options) };
  for (const event of ['Message', 'Close', 'Error']) {
    task['on' + event] = (call: (value: any) => void): void => {
      if (!hearing[event]) my['onSocket' + event]((value: any) => hearing[event](value));
      hearing[event] = call;
    };
  }
  return task;
}

function login(mini: any): Promise<any> {
  return new Promise((done, failed) => {
    const fail = (error: any): void => failed(new Error((error && error.errMsg) || 'login failed'));
    if (PLATFORM === 'my') {
      mini.getAuthCode({ scopes: 'auth_base', success: (answer: any) => done({ code: answer.authCode }), fail });
      return;
    }
    const success = (answer: any): void => {
      const code = answer.code;
      // The code alone is enough to sign in; a user who does not want to be known by name is signed in too.
      if (!mini.getUserInfo) return done({ code });
      mini.getUserInfo({
        withCredentials: true,
        success: ({ signature, rawData, encryptedData, iv }: any) => done({ code, signature, rawData, encryptedData, iv }),
        fail: () => done({ code }),
      });
    };
    (mini.getLoginCode || mini.login).call(mini, { success, fail });
  });
}
