/** What a programmer may want to see; nothing unless asked for. */
export const logging = { isOn_: false, call_: (...text: any[]): void => console.log(...text) };

export const log = (...text: any[]): void => {
  if (logging.isOn_) logging.call_('dhole:', ...text);
};

/** Turns it on or off, or has it given to a function. */
export function enableLogging(how: any): void {
  logging.isOn_ = !!how;
  if (typeof how === 'function') logging.call_ = how;
}
