import { checkValue } from './check';
import { Database } from './database';
import { Write, overlap, wirePath } from './shown';
import { Node, Path, nodeFrom, resolved } from './node';
import { Listener } from './view';

const triesAtMost = 25;

export interface Outcome { error_: Error | null; isCommitted_: boolean; node_: Node }

/**
 * A change that depends on what is there.
 *
 * The server takes it only if the place still holds what the change was made from; else it is made again. It counts
 * on writes before it, transactions too, and so they may all be on their way at once.
 */
export class Transaction {
  private write_: Write | undefined;
  private tries_ = 0;
  /** The error that it ends with if the server does not take it now. */
  private doom_: string | undefined;
  private readonly listener_: Listener;

  constructor(
    private readonly database_: Database, private readonly path_: Path, private readonly change_: (value: any) => any,
    private readonly isHidden_: boolean, private readonly done_: (outcome: Outcome) => void,
  ) {
    // The server tells of what it holds now only those who listen.
    this.listener_ = { type_: 'value', call_() {}, cancel_() {} };
    running.push(this);
    database_.listen_(path_, {}, this.listener_);
    this.run_();
  }

  private run_(): void {
    const database = this.database_;
    const old = this.write_;
    const before = database.before_(this.path_, old);
    let value: any;
    let node: Node;
    try {
      value = this.change_(before.json_());
      if (value === undefined) return this.finish_(null, false, before);
      checkValue(value, this.path_);
      node = nodeFrom(value);
    } catch (error) {
      return this.finish_(error as Error, false, before);
    }
    if (!value || typeof value !== 'object' || value['.priority'] === undefined) {
      node = node.withPriority_(before.priority_);
    }
    const write: Write = {
      action_: 'p', body_: { p: wirePath(this.path_), d: node.json_(true), h: before.digest_ },
      sets_: [[this.path_, resolved(node, before, database.now_())]], isHidden_: this.isHidden_, isConditional_: true,
      answer_: (status, text) => this.answered_(status, text),
    };
    this.write_ = write;
    if (old) {
      database.replace_(old, write);
      database.sendWrites_();
    } else {
      database.write_(write);
    }
  }

  private answered_(status: string, text: any): void {
    // What was written has been told before this answer.
    const now = this.database_.before_(this.path_, this.write_);
    if (status === 'ok') return this.finish_(null, true, now);
    if (this.doom_) status = this.doom_;
    else if (status === 'datastale') {
      // Those behind another fail with it: that says nothing of how contended the place is.
      const isFirst = running.filter((other) => other.touches_(this.database_, this.path_))[0] === this;
      if (!isFirst || ++this.tries_ < triesAtMost) return this.run_();
      status = 'maxretries';
    }
    this.finish_(this.database_.error_(status, text), false, now);
  }

  /** A plain write of the program has come to the same place. */
  overrule_(): void {
    if (this.write_ && this.write_.isSent_) this.doom_ = 'overriddenbyset';
    else this.answered_('overriddenbyset', '');
  }

  touches_(database: Database, path: Path): boolean {
    return database === this.database_ && overlap(path, this.path_);
  }

  private finish_(error_: Error | null, isCommitted_: boolean, node_: Node): void {
    running = running.filter((other) => other !== this);
    if (this.write_) this.database_.replace_(this.write_);
    this.done_({ error_, isCommitted_, node_ });
    this.database_.unlisten_(this.path_, {}, (listener) => listener === this.listener_);
  }
}

let running: Transaction[] = [];

/** To be called after a plain write, so that nothing older is seen in between: transactions at, above or below its places end. */
export function overruleTransactions(database: Database, paths: Path[]): void {
  for (const transaction of running.slice()) {
    if (paths.some((path) => transaction.touches_(database, path))) transaction.overrule_();
  }
}
