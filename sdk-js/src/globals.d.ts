/** What every platform has, and nothing more: the core may use no other global. */
declare function setTimeout(call: () => void, milliseconds: number): any;
declare function clearTimeout(timer: any): void;
declare const console: { warn(...text: any[]): void; log(...text: any[]): void };

/** Which platform a bundle is for, and the bundle's version: filled in by the build. */
declare const PLATFORM: string;
declare const VERSION: string;
