/** An open socket, or one that is being opened. */
export interface Socket {
  send_(text: string): void;
  close_(): void;
}

export interface SocketEvents {
  /** It is open now; only tests want to know. */
  open_?(): void;
  text_(text: string): void;
  /** The socket has ended or was never there; told once. */
  gone_(): void;
}

export interface Storage {
  get_(key: string): any;
  set_(key: string, value: any): void;
  remove_(key: string): void;
}

/** Everything that the SDK needs of where it runs. Nothing else of it is touched. */
export interface Platform {
  connect_(url: string, events: SocketEvents): Socket;
  /** Posts JSON, or asks with parameters, and gives the answer's JSON whatever its status. */
  request_(url: string, method: 'POST' | 'GET', body: any): Promise<any>;
  storage_: Storage;
  /** Calls with true when the program comes to the front, with false when it goes to the background. */
  watchVisibility_(tell: (isVisible: boolean) => void): void;
  /** Calls when there is a network again, or none. */
  watchNetwork_(tell: (isConnected: boolean) => void): void;
  /** The program may not open sockets while it is in the background. */
  stopsInBackground_: boolean;
  /** The sign-in code of the platform, and what it tells of the user. */
  login_?(): Promise<any>;
}
