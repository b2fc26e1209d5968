import { Platform } from '../platform';
import { miniProgram } from './mini';
import { node } from './node';
import { web } from './web';

declare const wx: any, my: any, tt: any, swan: any, qq: any, ks: any, uni: any, Taro: any, globalThis: any;
declare const require: any;

/** The platform that this bundle is for: the build leaves nothing of the others. */
export function here(): Platform {
  if (PLATFORM === 'web') return web(globalThis);
  if (PLATFORM === 'node') return node();
  if (PLATFORM === 'taro') {
    const taro = typeof Taro !== 'undefined' ? Taro : require('@tarojs/taro');
    return miniProgram(taro.default || taro);
  }
  return miniProgram(
    PLATFORM === 'my' ? my
      : PLATFORM === 'tt' ? tt
        : PLATFORM === 'swan' ? swan
          : PLATFORM === 'qq' ? qq
            : PLATFORM === 'ks' ? ks
              : PLATFORM === 'uni' ? uni
                : wx);
}
