import { pathOf } from './check';
import { Connection } from './connection';
import { Node, Path, empty, leaf, nodeFrom, resolved } from './node';
import { log } from './log';
import { Platform } from './platform';
import { Filter, filterText, isWhole } from './query';
import { Listener, View, ViewEvent } from './view';

/** A change that the program has made and the server has not answered yet. */
export interface Write {
  /** What it overwrites, as absolute paths; what the server fills in is a guess of the time when it was made. */
  readonly sets_: [Path, Node][];
  /** The request: `p` or `m`, and its body. Without one it only shows what the server does by itself. */
  readonly action_: string;
  readonly body_: any;
  readonly isHidden_?: boolean;
  /** Whose it is. */
  readonly user_?: string | null;
  isSent_?: boolean;
  readonly answer_: Answer;
  /** Of a transaction: it is not sent twice. */
  readonly isConditional_?: boolean;
}

/** A listen as the server knows it: a whole place, or what a query lets through. */
interface ServerListen {
  readonly id_: string;
  readonly path_: Path;
  readonly filter_: Filter;
  readonly tag_: number;
  /** What a query lets through; whole places are in the one tree of the database. */
  node_: Node;
  isKnown_: boolean;
  /** Up to where of the server's log what is known is true. */
  mark_?: string;
  /** The server has answered on this connection. */
  isAnswered_?: boolean;
}

/** How a change went: `ok`, or why not. */
type Answer = (status: string, text?: any) => void;

interface Disconnect { action_: string; path_: Path; body_: any; sets_: [Path, Node][]; answer_: Answer }

/** The status that stands for a failure on this side. */
export type ErrorMaker = (status: string, text?: any) => Error;

/** What a change overwrites: one place with all of `json`, or the places in it. */
const setsOf = (isMerge: boolean, path: Path, json: any): [Path, Node][] =>
  isMerge
    ? Object.entries(json).map(([key, value]): [Path, Node] => [path.concat(pathOf(key)), nodeFrom(value)])
    : [[path, nodeFrom(json)]];
/** Calls when what runs now is through. */
const soon = (call: () => void): Promise<void> => Promise.resolve().then(call);

/** At most so many writes are on their way at once. */
const writesInFlight = 100;
/** How much of the storage writes that wait may take, in characters. */
const keptWritesLength = 200000;

const startsWith = (path: Path, start: Path): boolean =>
  start.length <= path.length && start.every((key, i) => key === path[i]);
export const overlap = (a: Path, b: Path): boolean => startsWith(a, b) || startsWith(b, a);
const nameOf = (path: Path): string => path.join('/');
/** What a listen is known by: the place, and what the query leaves out. */
const listenID = (path: Path, filter: Filter): string => nameOf(path) + '?' + filterText(filter);
export const wirePath = (path: Path): string => '/' + nameOf(path);

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
export class Database {
  readonly connection_: Connection;
  offset_ = 0;
  private server_ = empty;
  private info_ = empty.withChild_('connected', leaf(false)).withChild_('serverTimeOffset', leaf(0));
  /** Whole places that are known. */
  private known_: Record<string, boolean> = {};
  private listens_: Record<string, ServerListen> = {};
  private views_: Record<string, View> = {};
  writes_: Write[] = [];
  private inFlight_ = 0;
  private disconnects_: Disconnect[] = [];
  /** What the server will do when the connection ends. */
  private registered_: Disconnect[] = [];
  private events_: [Listener, ViewEvent][] = [];
  private isTelling_ = false;
  private tag_ = 0;
  private boot_: string | undefined;
  private credential_: string | null = null;
  private user_: string | null = null;
  private isSaving_ = false;

  constructor(readonly host_: Host) {
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

  now_(): number {
    return Date.now() + this.offset_;
  }

  error_(status: string, text?: any): Error {
    return this.host_.maker_(status, text);
  }

  // MARK: Listening

  listen_(path: Path, filter: Filter, listener: Listener): void {
    const made = new View(path, filter);
    const view = this.views_[made.id_] || made;
    if (view === made) {
      this.views_[view.id_] = view;
      if (!this.cover_(path)) this.arrangeListens_();
      view.update_(...this.shown_(view));
    }
    view.listeners_.push(listener);
    for (const event of view.initial_()) if (event.type_ === listener.type_) this.events_.push([listener, event]);
    this.tell_();
  }

  /** Ends the listeners of a query that match; all of them if nothing is said. */
  unlisten_(path: Path, filter: Filter, matches: (listener: Listener) => boolean): void {
    const view = this.views_[new View(path, filter).id_];
    if (!view) return;
    view.listeners_ = view.listeners_.filter((listener) => {
      listener.isGone_ = matches(listener) || undefined;
      return !listener.isGone_;
    });
    if (view.listeners_.length) return;
    delete this.views_[view.id_];
    this.arrangeListens_();
  }

  /** A listen for this whole place or one around it. */
  private cover_(path: Path): ServerListen | undefined {
    for (let i = path.length; i >= 0; i--) {
      const listen = this.listens_[nameOf(path.slice(0, i)) + '?'];
      if (listen) return listen;
    }
    return undefined;
  }

  private isKnownAt_(path: Path): boolean {
    for (let i = path.length; i >= 0; i--) if (this.known_[nameOf(path.slice(0, i))]) return true;
    return false;
  }

  /** Listens at the server to what the views need and nothing else, each whole place once. */
  private arrangeListens_(): void {
    const views = Object.values(this.views_).filter((view) => view.path_[0] !== '.info');
    const whole: Record<string, boolean> = {};
    for (const view of views) if (isWhole(view.filter_)) whole[nameOf(view.path_)] = true;
    const needed: Record<string, boolean> = {};
    for (const view of views) {
      const isPlain = isWhole(view.filter_);
      let isCovered = !isPlain && whole[nameOf(view.path_)];
      for (let i = view.path_.length - 1; i >= 0 && !isCovered; i--) isCovered = whole[nameOf(view.path_.slice(0, i))];
      if (isCovered) continue;
      const id = listenID(view.path_, view.filter_);
      needed[id] = true;
      if (!this.listens_[id]) this.addListen_(view.path_, isPlain ? {} : view.filter_);
    }
    const ended = Object.values(this.listens_).filter((listen) => !needed[listen.id_]);
    for (const listen of ended) {
      delete this.listens_[listen.id_];
      this.connection_.request_('n', this.listenBody_(listen));
    }
    if (ended.some((listen) => !listen.tag_)) this.forget_();
  }

  /** Keeps of the tree what is still listened to. */
  private forget_(): void {
    const known = this.known_;
    const server = this.server_;
    this.known_ = {};
    this.server_ = empty;
    for (const listen of Object.values(this.listens_)) {
      if (listen.tag_) continue;
      for (const name of Object.keys(known)) {
        const place = pathOf(name);
        const path = startsWith(place, listen.path_) ? place : listen.path_;
        if (!startsWith(path, place)) continue;
        this.known_[nameOf(path)] = true;
        this.server_ = this.server_.with_(path, server.at_(path));
      }
    }
  }

  private addListen_(path: Path, filter: Filter): void {
    const listen: ServerListen = {
      id_: listenID(path, filter), path_: path, filter_: filter,
      tag_: isWhole(filter) ? 0 : ++this.tag_, node_: empty, isKnown_: false,
    };
    const cover = this.cover_(path);
    if (cover && this.isKnownAt_(path)) {
      // A wider listen is about to end: what it has told is a start.
      if (listen.tag_) {
        const view = new View(path, filter);
        view.update_(this.server_.at_(path), true);
        listen.node_ = view.node_;
        listen.isKnown_ = true;
      } else {
        listen.mark_ = cover.mark_;
      }
    }
    this.listens_[listen.id_] = listen;
    this.sendListen_(listen);
  }

  private listenBody_(listen: ServerListen): any {
    const p = wirePath(listen.path_);
    return listen.tag_ ? { p, q: listen.filter_, t: listen.tag_ } : { p };
  }

  private sendListen_(listen: ServerListen): void {
    const body = this.listenBody_(listen);
    const isKnown = listen.tag_ ? listen.isKnown_ : this.isKnownAt_(listen.path_);
    if (isKnown && !listen.tag_ && listen.mark_ && this.connection_.canResume_) body.i = listen.mark_;
    // A server that has been on since then knows the way from the mark. Another may still know the hash.
    if (!body.i || this.hasRebooted_) {
      body.h = isKnown ? (listen.tag_ ? listen.node_ : this.server_.at_(listen.path_)).digest_ : '';
    }
    if (!this.isMarking_) {
      this.isMarking_ = true;
      soon(() => {
        this.isMarking_ = false;
        this.connection_.mark_();
      });
    }
    listen.isAnswered_ = false;
    this.connection_.request_('q', body, (status, data) => {
      if (this.listens_[listen.id_] !== listen) return;
      if (status !== 'ok') return this.refuseListen_(listen, this.error_(status, data));
      listen.isAnswered_ = true;
      if (data.w) {
        log('no index', listen.filter_.i, wirePath(listen.path_));
      }
      listen.isKnown_ = true;
      if (!listen.tag_ && !this.isKnownAt_(listen.path_)) this.know_(listen.path_);
      this.changed_(listen.path_);
      this.settleGuesses_();
    });
  }

  /** The server is another than the one that gave the marks. */
  private hasRebooted_ = false;
  private isMarking_ = false;

  /** All of a place has been told. */
  private know_(path: Path): void {
    for (const name of Object.keys(this.known_)) if (startsWith(pathOf(name), path)) delete this.known_[name];
    this.known_[nameOf(path)] = true;
  }

  /** The server does not let us listen: those who do are told, and the rest is arranged anew. */
  private refuseListen_(listen: ServerListen, error: Error): void {
    const gone: Listener[] = [];
    delete this.listens_[listen.id_];
    for (const view of Object.values(this.views_)) {
      if (listenID(view.path_, view.filter_) !== listen.id_) continue;
      delete this.views_[view.id_];
      gone.push(...view.listeners_);
    }
    this.arrangeListens_();
    for (const listener of gone) {
      listener.isGone_ = true;
      this.guard_(() => listener.cancel_(error));
    }
  }

  // MARK: What views show

  /** What a place holds with our writes laid over it, and whether all of it is known. */
  private shown_(view: { path_: Path; filter_: Filter }): [Node, boolean] {
    if (view.path_[0] === '.info') return [this.info_.at_(view.path_, 1), true];
    if (this.isKnownAt_(view.path_)) return this.overlaid_(view.path_, this.server_.at_(view.path_), true);
    const listen = this.listens_[listenID(view.path_, view.filter_)];
    return listen && listen.tag_
      ? this.overlaid_(view.path_, listen.node_, listen.isKnown_)
      : this.overlaid_(view.path_, empty, false);
  }

  private overlaid_(path: Path, node: Node, isKnown: boolean, isHidden?: boolean, until?: Write): [Node, boolean] {
    for (const write of this.writes_) {
      if (write === until) break;
      if (write.isHidden_ && !isHidden) continue;
      for (const [at, value] of write.sets_) {
        if (startsWith(path, at)) {
          node = value.at_(path, at.length);
          isKnown = true;
        } else if (startsWith(at, path)) {
          // Of what is not known, only children that are written whole can be shown.
          const key = at[path.length];
          const isWholeChild = at.length === path.length + 1 && key !== '.priority';
          if (!isKnown && !isWholeChild && node.child_(key).isEmpty_) continue;
          node = node.with_(at, value, path.length);
        }
      }
    }
    return [node, isKnown];
  }

  /** What a program would see at a place just before one of its writes, hidden ones included. */
  before_(path: Path, write?: Write): Node {
    const base: Node = this.isKnownAt_(path) ? this.server_.at_(path) : empty;
    return this.overlaid_(path, base, this.isKnownAt_(path), true, write)[0];
  }

  /** Something at, below or above the path may be different now. */
  changed_(...paths: Path[]): void {
    for (const view of Object.values(this.views_)) {
      if (!paths.some((path) => overlap(view.path_, path))) continue;
      for (const event of view.update_(...this.shown_(view))) {
        for (const listener of view.listeners_) if (listener.type_ === event.type_) this.events_.push([listener, event]);
      }
    }
    this.tell_();
  }

  /** Tells what has happened, in order; what listeners cause meanwhile comes after. */
  private tell_(): void {
    if (this.isTelling_) return;
    this.isTelling_ = true;
    for (let next = this.events_.shift(); next; next = this.events_.shift()) {
      const [listener, event] = next;
      if (!listener.isGone_) this.guard_(() => listener.call_(event));
    }
    this.isTelling_ = false;
  }

  /** A program's own error must not stop ours; it is thrown where nobody else is hurt. */
  guard_(call: () => void): void {
    try {
      call();
    } catch (error) {
      setTimeout(() => {
        throw error;
      }, 0);
    }
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

  /** With guesses of what the server will fill in. */
  guessed_(sets: [Path, Node][]): [Path, Node][] {
    return sets.map(([path, node]): [Path, Node] => [path, resolved(node, this.before_(path), this.now_())]);
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
  private settleGuesses_(): void {
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

  private receive_(path: Path, value: Node, listen: ServerListen | undefined): void {
    if (listen) {
      const depth = path.length - listen.path_.length;
      if (depth < 0) return;
      if (depth === 0) listen.isKnown_ = true;
      else if (!listen.isKnown_ || (depth > 1 && listen.node_.child_(path[listen.path_.length]).isEmpty_)) return;
      listen.node_ = listen.node_.with_(path, value, listen.path_.length);
      return;
    }
    if (!this.isKnownAt_(path)) {
      if (!this.listens_[nameOf(path) + '?']) return;
      this.know_(path);
    }
    this.server_ = this.server_.with_(path, value);
  }

  private revoke_(path: Path, filters?: Filter[]): void {
    for (const filter of filters || [{}]) {
      const listen = this.listens_[listenID(path, filter)];
      if (!listen) continue;
      this.refuseListen_(listen, this.error_('permission_denied'));
      if (!listen.tag_) this.forget_();
    }
  }
}
