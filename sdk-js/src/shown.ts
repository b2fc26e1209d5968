import { pathOf } from './check';
import { Node, Path, empty, leaf, resolved } from './node';
import { Filter, filterText } from './query';
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
export interface ServerListen {
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
export type Answer = (status: string, text?: any) => void;

/** Calls when what runs now is through. */
export const soon = (call: () => void): Promise<void> => Promise.resolve().then(call);


export const startsWith = (path: Path, start: Path): boolean =>
  start.length <= path.length && start.every((key, i) => key === path[i]);
export const overlap = (a: Path, b: Path): boolean => startsWith(a, b) || startsWith(b, a);
export const nameOf = (path: Path): string => path.join('/');
/** What a listen is known by: the place, and what the query leaves out. */
export const listenID = (path: Path, filter: Filter): string => nameOf(path) + '?' + filterText(filter);
export const wirePath = (path: Path): string => '/' + nameOf(path);

/**
 * What is known of a database, and what views show of it: what the server has told, with the writes that it has not
 * answered laid over it.
 */
export abstract class Shown {
  offset_ = 0;
  protected server_ = empty;
  protected info_ = empty.withChild_('connected', leaf(false)).withChild_('serverTimeOffset', leaf(0));
  /** Whole places that are known. */
  protected known_: Record<string, boolean> = {};
  protected listens_: Record<string, ServerListen> = {};
  protected views_: Record<string, View> = {};
  writes_: Write[] = [];
  protected events_: [Listener, ViewEvent][] = [];
  private isTelling_?: boolean;
  /** The last tag that a listen was given. */
  protected tag_ = 0;

  now_(): number {
    return Date.now() + this.offset_;
  }

  protected isKnownAt_(path: Path): boolean {
    for (let i = path.length; i >= 0; i--) if (this.known_[nameOf(path.slice(0, i))]) return true;
    return false;
  }

  /** All of a place has been told. */
  protected know_(path: Path): void {
    for (const name of Object.keys(this.known_)) if (startsWith(pathOf(name), path)) delete this.known_[name];
    this.known_[nameOf(path)] = true;
  }

  /** What a place holds with our writes laid over it, and whether all of it is known. */
  protected shown_(view: { path_: Path; filter_: Filter }): [Node, boolean] {
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
  protected tell_(): void {
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

  /** With guesses of what the server will fill in. */
  guessed_(sets: [Path, Node][]): [Path, Node][] {
    return sets.map(([path, node]): [Path, Node] => [path, resolved(node, this.before_(path), this.now_())]);
  }
}
