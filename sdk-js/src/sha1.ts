/** The UTF-8 bytes of a text, as characters; half a surrogate pair becomes U+FFFD. */
export function bytesOf(text: string): string {
  // With its `u` the pattern does not see into pairs.
  return unescape(encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd')));
}

/** The text of UTF-8 bytes. */
export function textOf(bytes: ArrayLike<number>): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  return decodeURIComponent(escape(text));
}

export const capitals = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
export const small = capitals.toLowerCase();
export const numerals = '0123456789';
const digits = capitals + small + numerals + '+/';
const turned = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
/** The constants of the four rounds. */
const roots = [2, 3, 5, 10].map((number) => (Math.sqrt(number) * 0x40000000) | 0);

/** The SHA-1 of a text in base 64; empty for no text. */
export function sha1(text: string): string {
  if (!text) return '';
  const bytes = bytesOf(text);
  const count = ((bytes.length + 72) >> 6) * 16;
  const words = new Int32Array(count);
  for (let i = 0; i <= bytes.length; i++) {
    words[i >> 2] |= (i < bytes.length ? bytes.charCodeAt(i) : 128) << (24 - (i & 3) * 8);
  }
  words[count - 2] = bytes.length / 0x20000000;
  words[count - 1] = bytes.length << 3;
  const [x, y] = [0x67452301, 0xefcdab89];
  const state = [x, y, ~x, ~y, 0xc3d2e1f0];
  const block: number[] = [];
  for (let at = 0; at < count; at += 16) {
    let [a, b, c, d, e] = state;
    for (let i = 0; i < 80; i++) {
      block[i] = i < 16 ? words[at + i] : turned(block[i - 3] ^ block[i - 8] ^ block[i - 14] ^ block[i - 16], 1);
      const mixed = i < 20 ? (b & c) | (~b & d)
        : i < 40 ? b ^ c ^ d
          : i < 60 ? (b & c) | (b & d) | (c & d)
            : b ^ c ^ d;
      const next = (turned(a, 5) + mixed + roots[(i / 20) | 0] + e + block[i]) | 0;
      e = d;
      d = c;
      c = turned(b, 30);
      b = a;
      a = next;
    }
    [a, b, c, d, e].forEach((x, i) => (state[i] = (state[i] + x) | 0));
  }
  state.push(0);
  let out = '';
  // 20 bytes are 26 digits and two bits.
  for (let bit = 0; bit < 162; bit += 6) {
    const word = bit >> 5;
    const shift = bit & 31;
    out += digits[((state[word] << shift) | (shift && state[word + 1] >>> (32 - shift))) >>> 26];
  }
  return out + '=';
}
