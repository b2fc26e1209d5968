import { pathOf } from './check';
import { Connection } from './connection';
import { Listening } from './listening';
import { log } from './log';
import { Node, Path, leaf, nodeFrom } from './node';
import { Platform } from './platform';
import { Answer, Write, soon, startsWith, wirePath } from './shown';

interface Disconnect { action_: string; path_: Path; body_: any; sets_: [Path, Node][]; answer_: Answer }

/** The status that stands for a failure on this side. */
export type ErrorMaker = (status: string, text?: any) => Error;

/** What a change overwrites: one place with all of `json`, or the places in it. */
const setsOf = (isMerge: boolean, path: Path, json: any): [Path, Node][] =>
  isMerge
    ? Object.entries(json).map(([key, value]): [Path, Node] => [path.concat(pathOf(key)), nodeFrom(value)])
    : [[path, nodeFrom(json)]];

/** At most so many writes are on their way at once. */
const writesInFlight = 100;
/** How much of the storage writes that wait may take, in characters. */
const keptWritesLength = 200000;

/** What a database must know of its app. */
export interface Host {
  readonly platform_: Platform;
  /** Where the server is: `ws://` or `wss://`, host and port. */
  readonly origin_: string;
  readonly namespace_: string;
  readonly options: { keepWrites?: boolean };
  readonly maker_: ErrorMaker;
  /** The credential has been refused or has ended. */
  lose_(status: string, text: string): void;
  /** The credential is being renewed, and the present one is of no use. */
  isStale_(): boolean;
}

/**
 * One database: what is known of it, what the program has written, and who listens.
 *
 * What a view shows is what the server has told with the writes that it has not answered laid over it. A write that
 * is refused is taken away again, and what the views show goes back by itself.
 */
export class Database extends Listening {
  readonly connection_: Connection;
  private inFlight_ = 0;
  private disconnects_: Disconnect[] = [];
  /** What the server will do when the connection ends. */
  private registered_: Disconnect[] = [];
  private boot_: string | undefined;
  private credential_: string | null = null;
  private user_: string | null = null;
  private isSaving_ = false;

  constructor(readonly host_: Host) {
    super();
    this.restoreWrites_();
    this.connection_ = new Connection(
      host_.platform_,
      () => host_.origin_ + '/.ws?v=5&x=1' + (host_.namespace_ && '&ns=' + host_.namespace_),
      {
        ready_: (hello) => this.ready_(hello),
        push_: (action, body) => this.push_(action, body),
        lost_: () => this.lost_(),
        refused_: (reason) => log('refused', reason),
        isStale_: () => host_.isStale_(),
      });
    soon(() => this.connection_.hurry_());
  }

  error_(status: string, text?: any): Error {
    return this.host_.maker_(status, text);
  }

  // MARK: Writing

  /** Shows a write at once and sends it when that can be. */
  write_(write: Write): void {
    this.writes_.push(write);
    this.changed_(...write.sets_.map((set) => set[0]));
    this.saveWrites_();
    this.sendWrites_();
  }

  /** Asks for a change: a put, a merge, or the same for when the connection ends. */
  change_(action_: string, path: Path, d: any, sets: [Path, Node][], answer_: Answer): void {
    const body_ = { p: wirePath(path), d };
    if (/o/.test(action_)) this.onDisconnect_({ action_, body_, path_: path, sets_: sets, answer_ });
    else this.write_({ action_, body_, sets_: this.guessed_(sets), answer_, user_: this.user_ });
  }

  /** Replaces a write in its place, or takes it away. */
  replace_(write: Write, by?: Write): void {
    const at = this.writes_.indexOf(write);
    if (at < 0) return;
    if (write.isSent_) this.inFlight_--;
    if (by) this.writes_.splice(at, 1, by);
    else this.writes_.splice(at, 1);
    this.saveWrites_();
    this.changed_(...write.sets_.map((set) => set[0]));
  }

  sendWrites_(): void {
    if (!this.connection_.isReady_) return;
    for (const write of this.writes_.slice()) {
      if (this.inFlight_ >= writesInFlight) break;
      if (write.isSent_ || !write.action_) continue;
      write.isSent_ = true;
      this.inFlight_++;
      this.connection_.request_(write.action_, write.body_, (status, data) => {
        if (!write.isConditional_) this.replace_(write);
        write.answer_(status, data);
        this.sendWrites_();
      });
    }
  }

  private get storageKey_(): string {
    return 'dhole:writes:' + this.host_.origin_ + '/' + this.host_.namespace_;
  }

  /** Keeps the writes that wait, once for all that happen in one turn. */
  private saveWrites_(): void {
    if (!this.host_.options.keepWrites || this.isSaving_) return;
    this.isSaving_ = true;
    soon(() => {
      this.isSaving_ = false;
      let length = 2;
      const kept: string[] = [];
      for (const write of this.writes_) {
        if (!write.action_ || write.isConditional_) continue;
        const text = JSON.stringify([write.action_, write.body_, write.user_]);
        length += text.length + 1;
        if (length > keptWritesLength) {
          log('full');
          break;
        }
        kept.push(text);
      }
      this.guard_(() => {
        if (kept.length) this.host_.platform_.storage_.set_(this.storageKey_, '[' + kept.join() + ']');
        else this.host_.platform_.storage_.remove_(this.storageKey_);
      });
    });
  }

  private restoreWrites_(): void {
    if (!this.host_.options.keepWrites) return;
    let kept: any;
    try {
      kept = JSON.parse(this.host_.platform_.storage_.get_(this.storageKey_) || '[]');
    } catch (error) {
      kept = [];
    }
    for (const [action_, body_, user_] of kept) {
      const sets_ = setsOf(action_ === 'm', pathOf(body_.p), body_.d);
      this.writes_.push({
        action_, body_, user_, sets_: this.guessed_(sets_),
        answer_: (status) => {
          if (status !== 'ok') log('refused', body_.p, status);
        },
      });
    }
  }

  // MARK: Disconnection

  private onDisconnect_(item: Disconnect): void {
    this.disconnects_.push(item);
    this.sendDisconnect_(item);
  }

  private sendDisconnect_(item: Disconnect): void {
    this.connection_.request_(item.action_, item.body_, (status, data) => {
      this.disconnects_ = this.disconnects_.filter((other) => other !== item);
      if (status === 'ok') {
        if (item.action_ === 'oc') {
          this.registered_.forEach((other) => {
            other.sets_ = other.sets_.filter((set) => !startsWith(set[0], item.path_));
          });
        } else {
          this.registered_.push(item);
        }
      }
      item.answer_(status, data);
    });
  }

  // MARK: Identity

  /** Says who the user is from now on; nobody without a credential. */
  authenticate_(credential: string | null, user: string | null): void {
    this.credential_ = credential;
    this.user_ = user;
    if (credential) this.sendCredential_();
    else this.connection_.request_('unauth', {}, () => this.setInfo_('authenticated', false));
  }

  private sendCredential_(): void {
    const credential = this.credential_;
    this.connection_.request_('auth', { cred: credential }, (status, data) => {
      if (status === 'ok') this.setInfo_('authenticated', true);
      else if (credential === this.credential_) this.loseCredential_(status, data);
    });
  }

  private loseCredential_(status: string, text: string): void {
    this.credential_ = null;
    this.setInfo_('authenticated', false);
    this.host_.lose_(status, text);
  }

  // MARK: The connection

  private setInfo_(key: string, value: any): void {
    this.info_ = this.info_.withChild_(key, leaf(value));
    this.changed_(['.info']);
  }

  private ready_(hello: { ts: number; x?: string }): void {
    this.offset_ = hello.ts - Date.now();
    this.setInfo_('serverTimeOffset', this.offset_);
    this.hasRebooted_ = this.boot_ !== undefined && this.boot_ !== hello.x;
    this.boot_ = hello.x;
    // Writes of somebody else who was signed in when they were made are nobody's now.
    for (const write of this.writes_.slice()) {
      if (write.user_ && write.user_ !== this.user_) {
        this.replace_(write);
        write.answer_('permission_denied');
      }
    }
    if (this.credential_) this.sendCredential_();
    const listens = Object.values(this.listens_).sort((a, b) => a.path_.length - b.path_.length);
    for (const listen of listens) this.sendListen_(listen);
    this.sendWrites_();
    for (const item of this.disconnects_) this.sendDisconnect_(item);
    this.settleGuesses_();
    this.setInfo_('connected', true);
  }

  private lost_(): void {
    this.inFlight_ = 0;
    for (const listen of Object.values(this.listens_)) listen.isAnswered_ = false;
    const failed = this.writes_.filter((write) => write.isSent_ && write.isConditional_);
    for (const write of this.writes_) write.isSent_ = false;
    // What the server does now is shown now.
    const registered = this.registered_;
    this.registered_ = [];
    for (const item of registered) {
      this.writes_.push({ action_: '', body_: null, sets_: this.guessed_(item.sets_), answer_: () => {} });
      this.changed_(...item.sets_.map((set) => set[0]));
    }
    this.setInfo_('connected', false);
    for (const write of failed) write.answer_('disconnected');
  }

  /** Once the server has told everything anew, guesses of what it did are of no use. */
  protected settleGuesses_(): void {
    if (Object.values(this.listens_).some((listen) => !listen.isAnswered_)) return;
    for (const write of this.writes_.slice()) if (!write.action_) this.replace_(write);
  }

  private push_(action: string, body: any): void {
    if (action === 'd' || action === 'm') {
      const at = pathOf(body.p);
      const listen = body.t && Object.values(this.listens_).filter((other) => other.tag_ === body.t)[0];
      if (body.t && !listen) return;
      for (const [path, value] of setsOf(action === 'm', at, body.d)) this.receive_(path, value, listen);
      this.changed_(at);
    } else if (action === 'i') {
      for (const listen of Object.values(this.listens_)) if (listen.isAnswered_) listen.mark_ = body;
    } else if (action === 'c') {
      this.revoke_(pathOf(body.p), body.q);
    } else if (action === 'ac') {
      if (this.credential_) this.loseCredential_(body.s, body.d);
    } else if (action === 'sd') {
      log(body.msg);
    }
  }
}
