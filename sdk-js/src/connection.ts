import { Platform, Socket } from './platform';

/** What becomes of a request: `ok` or why not, and what came with it. */
export type Reply = (status: string, data: any) => void;

export interface ConnectionEvents {
  /** The server has greeted: everything that it must know is to be sent now. */
  ready_(hello: { ts: number; x?: string }): void;
  push_(action: string, body: any): void;
  lost_(): void;
  /** The server wants no more connections, and says why. */
  refused_(reason: string): void;
  /** It is no time to greet the server yet. Asked before a connection is opened, and now and then while it is open. */
  isStale_(): boolean;
}

// Times in milliseconds.

/** The longest wait for the server's greeting. */
const greetingTime = 15000;
/** How often a quiet connection is tried, and how long the answer may take. */
const beatTime = 25000;
const answerTime = 10000;
/** The same, when the program has just come back to the front. */
const quickAnswerTime = 3000;
const firstDelay = 500;
const longestDelay = 30000;

/**
 * One connection to the server, made anew whenever it is lost.
 *
 *     off ─ goOnline ─→ waiting ─ time, network, front ─→ opening ─ greeting ─→ ready
 *                          ↑───────────── socket gone, no answer ───────────────┘
 */
export class Connection {
  isReady_ = false;
  private socket_: Socket | null = null;
  private socketNumber_ = 0;
  private isWanted_ = true;
  private isHidden_ = false;
  private delay_ = 0;
  private retryTimer_: any;
  private beatTimer_: any;
  private answerTimer_: any;
  private lastSession_ = '';
  private nextNumber_ = 1;
  private replies_: Record<number, Reply> = {};
  private parts_ = '';
  private partsLeft_ = 0;
  /** The server knows how to resume by index. */
  canResume_ = false;

  constructor(
    private readonly platform_: Platform, private readonly url_: () => string, private readonly events_: ConnectionEvents,
  ) {
    platform_.watchVisibility_((isVisible) => this.visible_(isVisible));
    platform_.watchNetwork_((isConnected) => {
      if (isConnected) this.hurry_();
      // Platforms tell of a change of network too, which leaves the socket dead.
      else if (this.isReady_) this.beat_(quickAnswerTime);
    });
  }

  goOnline_(): void {
    this.isWanted_ = true;
    this.hurry_();
  }

  goOffline_(): void {
    this.isWanted_ = false;
    clearTimeout(this.retryTimer_);
    this.drop_();
  }

  /** Asks the server something, unless there is none: then whoever asks has to ask again when there is. */
  request_(a: string, b: any, reply?: Reply): void {
    if (!this.isReady_) return;
    const r = this.nextNumber_++;
    if (reply) this.replies_[r] = reply;
    this.send_({ t: 'd', d: { r, a, b } });
  }

  private visible_(isVisible: boolean): void {
    this.isHidden_ = !isVisible && this.platform_.stopsInBackground_;
    // The last that is known before the platform cuts the socket makes the return cheap.
    if (!isVisible) this.beat_(0);
    else this.hurry_();
  }

  /** Something makes it likely that a connection can be had now, or that the present one is dead. */
  hurry_(): void {
    this.delay_ = 0;
    if (this.isReady_) this.beat_(quickAnswerTime);
    else if (!this.socket_) this.open_();
  }

  private open_(): void {
    clearTimeout(this.retryTimer_);
    if (!this.isWanted_ || this.isHidden_ || this.socket_) return;
    if (this.events_.isStale_()) return this.scheduleOpen_();
    const number = ++this.socketNumber_;
    const current = (call: () => void): unknown => number === this.socketNumber_ && call();
    this.answerTimer_ = setTimeout(() => this.drop_(), greetingTime);
    this.partsLeft_ = 0;
    try {
      this.socket_ = this.platform_.connect_(this.url_() + this.lastSession_, {
        text_: (text) => current(() => this.frame_(text)),
        gone_: () => current(() => this.drop_()),
      });
    } catch (error) {
      this.drop_();
    }
  }

  /** The socket is over, by its own will or by ours. */
  private drop_(): void {
    const socket = this.socket_;
    const wasReady = this.isReady_;
    this.socketNumber_++;
    this.socket_ = null;
    this.isReady_ = false;
    this.replies_ = {};
    clearTimeout(this.answerTimer_);
    clearTimeout(this.beatTimer_);
    if (socket) socket.close_();
    if (wasReady) this.events_.lost_();
    if (this.isWanted_ && !this.socket_) this.scheduleOpen_();
  }

  private scheduleOpen_(): void {
    clearTimeout(this.retryTimer_);
    this.delay_ = Math.min(Math.max(this.delay_ * 1.6, firstDelay), longestDelay);
    // Anywhere in the wait, so that those who were cut together don't come back together.
    this.retryTimer_ = setTimeout(() => this.open_(), this.delay_ * Math.random());
  }

  // MARK: Messages

  private send_(message: any): void {
    if (this.socket_) this.socket_.send_(JSON.stringify(message));
  }

  private frame_(text: string): void {
    if (this.isReady_) {
      clearTimeout(this.answerTimer_);
      this.scheduleBeat_();
    }
    if (this.partsLeft_) {
      this.parts_ += text;
      if (--this.partsLeft_) return;
      text = this.parts_;
    } else if (text.length < 7 && /^\d+$/.test(text)) {
      this.partsLeft_ = +text;
      this.parts_ = '';
      return;
    }
    let message: any;
    try {
      message = JSON.parse(text);
    } catch (error) {
      return this.drop_();
    }
    const d = message.d;
    if (message.t === 'c') this.control_(d.t, d.d);
    else if ('r' in d) {
      const reply = this.replies_[d.r];
      delete this.replies_[d.r];
      if (reply) reply(d.b.s, d.b.d);
    } else if (d.a) {
      this.events_.push_(d.a, d.b);
    }
  }

  private control_(type: string, data: any): void {
    if (type === 'h' && !this.isReady_) {
      clearTimeout(this.answerTimer_);
      this.isReady_ = true;
      this.delay_ = 0;
      this.lastSession_ = '&ls=' + data.s;
      this.nextNumber_ = 1;
      this.canResume_ = 'x' in data;
      this.scheduleBeat_();
      this.events_.ready_(data);
    } else if (type === 's') {
      this.isWanted_ = false;
      this.events_.refused_(data);
      this.drop_();
    } else if (type === 'r') {
      this.drop_();
    }
  }

  // MARK: Heartbeat

  private scheduleBeat_(): void {
    clearTimeout(this.beatTimer_);
    this.beatTimer_ = setTimeout(() => this.beat_(answerTime), beatTime);
  }

  /** Asks the server something; if no answer comes in time, the socket is dead, whatever the platform thinks. */
  private beat_(patience: number): void {
    if (!this.isReady_) return;
    this.events_.isStale_();
    clearTimeout(this.answerTimer_);
    if (patience) this.answerTimer_ = setTimeout(() => this.drop_(), patience);
    if (this.canResume_) this.mark_();
    else this.send_({ t: 'c', d: { t: 'p', d: {} } });
  }

  /** Asks where in its log the server is; all that it has told before is up to there. */
  mark_(): void {
    if (this.canResume_) this.request_('i', {}, (status, data) => status === 'ok' && this.events_.push_('i', data));
  }
}
