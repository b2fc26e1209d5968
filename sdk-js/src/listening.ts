import { pathOf } from './check';
import { Connection } from './connection';
import { log } from './log';
import { Node, Path, empty } from './node';
import { Filter, isWhole } from './query';
import { ServerListen, Shown, listenID, nameOf, soon, startsWith, wirePath } from './shown';
import { Listener, View } from './view';

/** Listens at the server to what the views need, and takes what it tells of that. */
export abstract class Listening extends Shown {
  abstract readonly connection_: Connection;
  /** The server is another than the one that gave the marks. */
  protected hasRebooted_?: boolean;
  private isMarking_?: boolean;

  abstract error_(status: string, text?: any): Error;
  /** Guesses of what the server does are of no use once it has told everything. */
  protected abstract settleGuesses_(): void;

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

  protected sendListen_(listen: ServerListen): void {
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

  protected receive_(path: Path, value: Node, listen: ServerListen | undefined): void {
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

  protected revoke_(path: Path, filters?: Filter[]): void {
    for (const filter of filters || [{}]) {
      const listen = this.listens_[listenID(path, filter)];
      if (!listen) continue;
      this.refuseListen_(listen, this.error_('permission_denied'));
      if (!listen.tag_) this.forget_();
    }
  }
}
