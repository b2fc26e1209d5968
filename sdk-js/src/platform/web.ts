import { Platform } from '../platform';

/** Browsers. */
export function web(global: any): Platform {
  const memory: Record<string, string> = {};
  const storage = (): any => {
    try {
      // Reading the member alone throws where storage is forbidden.
      return global.localStorage;
    } catch (error) {
      return undefined;
    }
  };
  const listen = (target: any, event: string, call: () => void): void => {
    if (target && target.addEventListener) target.addEventListener(event, call);
  };
  return {
    stopsInBackground_: false,
    connect_: (url, events) => {
      const socket = new global.WebSocket(url);
      let isOver = false;
      const gone = (): void => {
        if (isOver) return;
        isOver = true;
        events.gone_();
      };
      socket.onmessage = (message: any) => events.text_(message.data);
      socket.onclose = socket.onerror = gone;
      return {
        send_: (text) => {
          if (socket.readyState === 1) socket.send(text);
        },
        close_: () => {
          isOver = true;
          socket.close();
        },
      };
    },
    request_: (url, method, body) => {
      const options: any = { method };
      if (method === 'POST') {
        options.headers = { 'Content-Type': 'application/json' };
        options.body = JSON.stringify(body);
      } else {
        url += '?' + Object.keys(body).map((key) => key + '=' + encodeURIComponent(body[key])).join('&');
      }
      return global.fetch(url, options).then((answer: any) => answer.json());
    },
    storage_: {
      get_: (key) => (storage() ? storage().getItem(key) : memory[key]),
      set_: (key, value) => {
        if (storage()) storage().setItem(key, value);
        else memory[key] = value;
      },
      remove_: (key) => {
        if (storage()) storage().removeItem(key);
        delete memory[key];
      },
    },
    watchVisibility_: (tell) =>
      listen(global.document, 'visibilitychange', () => tell(global.document.visibilityState !== 'hidden')),
    watchNetwork_: (tell) => {
      listen(global, 'online', () => tell(true));
      listen(global, 'offline', () => tell(false));
    },
  };
}
