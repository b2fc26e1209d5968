import { Platform, Socket, SocketEvents } from '../platform';
import { web } from './web';

declare const require: any;
declare const globalThis: any;
declare const Buffer: any;

/** Node: where there is no WebSocket, as up to Node 20, one of our own. */
export function node(): Platform {
  const platform = web(globalThis);
  if (typeof globalThis.WebSocket === 'undefined') platform.connect_ = connect;
  return platform;
}

/** A WebSocket for text, over the modules that Node has. */
function connect(address: string, events: SocketEvents): Socket {
  const isSecure = /^wss:/.test(address);
  const crypto = require('crypto');
  const request = require(isSecure ? 'https' : 'http').request(address.replace(/^ws/, 'http'), {
    headers: {
      Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64'),
    },
  });
  let socket: any;
  let isOver = false;
  const gone = (): void => {
    if (isOver) return;
    isOver = true;
    if (socket) socket.destroy();
    else request.destroy();
    events.gone_();
  };
  const send = (kind: number, payload: any): void => {
    if (!socket || isOver) return;
    const length = payload.length;
    const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
    head[0] = 0x80 | kind;
    head[1] = 0x80 | (length < 126 ? length : length < 65536 ? 126 : 127);
    if (head.length === 4) head.writeUInt16BE(length, 2);
    if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
    const mask = crypto.randomBytes(4);
    const masked = Buffer.from(payload);
    for (let i = 0; i < length; i++) masked[i] ^= mask[i & 3];
    socket.write(Buffer.concat([head, mask, masked]));
  };
  let rest = Buffer.alloc(0);
  let parts: any[] = [];
  const receive = (bytes: any): void => {
    rest = rest.length ? Buffer.concat([rest, bytes]) : bytes;
    for (;;) {
      if (rest.length < 2) return;
      const kind = rest[0] & 15;
      let length = rest[1] & 127;
      let from = 2;
      if (length === 126) {
        if (rest.length < 4) return;
        length = rest.readUInt16BE(2);
        from = 4;
      } else if (length === 127) {
        if (rest.length < 10) return;
        length = Number(rest.readBigUInt64BE(2));
        from = 10;
      }
      if (rest.length < from + length) return;
      const isLast = !!(rest[0] & 128);
      const payload = rest.subarray(from, from + length);
      rest = rest.subarray(from + length);
      if (kind === 8) return gone();
      if (kind === 9) send(10, payload);
      if (kind > 2) continue;
      parts.push(payload);
      if (!isLast) continue;
      const text = Buffer.concat(parts).toString();
      parts = [];
      events.text_(text);
      if (isOver) return;
    }
  };
  request.on('upgrade', (_: any, made: any, head: any) => {
    socket = made;
    if (isOver) return socket.destroy();
    socket.setNoDelay(true);
    socket.on('data', receive);
    socket.on('error', () => gone());
    socket.on('close', () => gone());
    if (events.open_) events.open_();
    if (head.length) receive(head);
  });
  request.on('response', () => gone());
  request.on('error', gone);
  request.end();
  return {
    send_: (text) => send(1, Buffer.from(text)),
    close_: () => {
      if (isOver) return;
      send(8, Buffer.from([3, 232]));
      isOver = true;
      if (socket) socket.end();
      else request.destroy();
    },
  };
}
