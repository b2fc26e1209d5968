import { capitals, numerals, small } from './sha1';

const digits = '-' + numerals + capitals + '_' + small;
let lastTime = -1;
let random: number[] = [];

/** A key that sorts by the time it was made: 8 characters of time, 12 of chance. One made later is always greater. */
export function pushID(now: number): string {
  if (now > lastTime) {
    lastTime = now;
    random = [];
    for (let i = 0; i < 12; i++) random.push(Math.floor(Math.random() * 64));
  } else {
    let i = 11;
    while (i >= 0 && random[i] === 63) random[i--] = 0;
    if (i >= 0) random[i]++;
    else lastTime++;
  }
  let id = '';
  for (let time = lastTime, i = 0; i < 8; i++) {
    id = digits[time % 64] + id;
    time = Math.floor(time / 64);
  }
  return id + random.map((digit) => digits[digit]).join('');
}
