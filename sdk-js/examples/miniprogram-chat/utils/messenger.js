// The messenger without its looks: what both examples do with the tree of rules/im.json. Presence has a place of its own.
'use strict';

class Messenger {
  /** `root` is `wilddog.sync()`, `me` the uid of who is signed in. */
  constructor(root, me, timestamp) {
    this.root = root;
    this.me = me;
    this.timestamp = timestamp;
    this.conversations = {};
    this.offs = [];
  }

  on(query, type, call, failed) {
    query.on(type, call, failed || (() => {}));
    const off = () => query.off(type, call);
    this.offs.push(off);
    return off;
  }

  /** Says that this user is here, and has the server say otherwise when the connection ends. */
  appear() {
    const mine = this.root.child(`presence/${this.me}`);
    this.on(this.root.child('.info/connected'), 'value', (snapshot) => {
      if (!snapshot.val()) return;
      mine.onDisconnect().set(this.timestamp);
      mine.set(true);
    });
  }

  watchPresence(uid, call) {
    return this.on(this.root.child(`presence/${uid}`), 'value', (snapshot) => call(snapshot.val()));
  }

  /** Calls with the list of conversations, the latest first, whenever something in it changes. */
  watchList(call) {
    const tell = () => call(Object.values(this.conversations)
      .filter((one) => one.members.length)
      .sort((a, b) => b.at - a.at)
      .map((one) => ({ ...one, unread: this.unread(one), last: this.preview(one) })));
    const inbox = this.root.child(`inbox/${this.me}`);
    this.on(inbox, 'child_added', (snapshot) => {
      const id = snapshot.key();
      const one = this.conversations[id] = { id, at: snapshot.val(), title: '', kind: '', members: [], messages: [], readAt: 0 };
      this.on(this.root.child(`conversations/${id}`), 'value', (value) => {
        const { kind = '', title, members = {}, a, b } = value.val() || {};
        Object.assign(one, { kind, members: Object.keys(members), other: kind === 'direct' ? (a === this.me ? b : a) : null });
        one.title = title || one.other || '';
        tell();
      });
      this.on(this.root.child(`messages/${id}`).orderByChild('at').limitToLast(30), 'value', (value) => {
        one.messages = [];
        value.forEach((child) => void one.messages.push({ id: child.key(), ...child.val() }));
        tell();
      });
      this.on(this.root.child(`receipts/${id}/${this.me}`), 'value', (value) => {
        one.readAt = value.val() || 0;
        tell();
      });
    });
    this.on(inbox, 'child_changed', (snapshot) => {
      this.conversations[snapshot.key()].at = snapshot.val();
      tell();
    });
    this.on(inbox, 'value', tell);
  }

  unread(one) {
    return one.messages.filter((message) => message.from !== this.me && message.at > one.readAt).length;
  }

  preview(one) {
    const last = one.messages[one.messages.length - 1];
    return last ? (last.recalled ? 'recalled' : last.text) : '';
  }

  /** Opens the one conversation with somebody; its key. */
  openDirect(other) {
    const [a, b] = [this.me, other].sort();
    const id = `${a}:${b}`;
    const value = { kind: 'direct', a, b, members: { [a]: 'member', [b]: 'member' } };
    // It may be there already, which only shows by being refused.
    return this.root.child(`conversations/${id}`).set(value).catch(() => {})
      .then(() => this.note(id, [a, b])).then(() => id);
  }

  openGroup(title, others) {
    const id = this.root.child('conversations').push().key();
    const members = { [this.me]: 'owner' };
    for (const uid of others) if (uid !== this.me) members[uid] = 'member';
    return this.root.child(`conversations/${id}`).set({ kind: 'group', title, members })
      .then(() => this.note(id, Object.keys(members))).then(() => id);
  }

  /** Puts the conversation on top of everybody's list. */
  note(id, members) {
    const values = {};
    for (const uid of members) values[`inbox/${uid}/${id}`] = this.timestamp;
    return this.root.update(values);
  }

  send(id, text) {
    const { members } = this.conversations[id];
    const key = this.root.child(`messages/${id}`).push().key();
    const values = { [`messages/${id}/${key}`]: { from: this.me, text, at: this.timestamp } };
    for (const uid of members) values[`inbox/${uid}/${id}`] = this.timestamp;
    return this.root.update(values);
  }

  recall(id, message) {
    return this.root.child(`messages/${id}/${message}`).update({ text: null, recalled: true });
  }

  /** Calls with the last `count` messages; the function that it gives shows more, and `off` ends it. */
  watchMessages(id, count, call) {
    let off = () => {};
    const begin = () => {
      const before = off;
      const seen = count;
      off = this.on(this.root.child(`messages/${id}`).orderByChild('at').limitToLast(count), 'value', (snapshot) => {
        const list = [];
        snapshot.forEach((child) => {
          const message = child.val();
          list.push({ id: child.key(), mine: message.from === this.me, ...message });
        });
        call(list, list.length < seen);
      });
      before();
    };
    let isOver = false;
    // Not before the caller has what is returned: what is known already is told at once.
    Promise.resolve().then(() => isOver || begin());
    return {
      more: () => {
        count += 20;
        begin();
      },
      off: () => {
        isOver = true;
        off();
      },
    };
  }

  /** Everything up to the last message has been seen. */
  read(id, at) {
    const one = this.conversations[id];
    if (!at || (one && at <= one.readAt)) return Promise.resolve();
    return this.root.child(`receipts/${id}/${this.me}`).set(at).catch(() => {});
  }

  watchReceipts(id, call) {
    return this.on(this.root.child(`receipts/${id}`), 'value', (snapshot) => call(snapshot.val() || {}));
  }

  typing(id, isTyping) {
    const mine = this.root.child(`typing/${id}/${this.me}`);
    if (!isTyping) return mine.remove();
    mine.onDisconnect().remove();
    return mine.set(this.timestamp);
  }

  watchTyping(id, call) {
    return this.on(this.root.child(`typing/${id}`), 'value', (snapshot) =>
      call(Object.keys(snapshot.val() || {}).filter((uid) => uid !== this.me)));
  }

  end() {
    for (const off of this.offs) off();
  }
}

/** In dev mode the server believes tokens that nobody has signed. */
function devToken(uid) {
  const encode = (value) => {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const bytes = unescape(encodeURIComponent(JSON.stringify(value)));
    let text = '';
    for (let i = 0; i < bytes.length; i += 3) {
      const bits = (bytes.charCodeAt(i) << 16) | ((bytes.charCodeAt(i + 1) || 0) << 8) | (bytes.charCodeAt(i + 2) || 0);
      text += digits[bits >> 18] + digits[(bits >> 12) & 63] +
        (i + 1 < bytes.length ? digits[(bits >> 6) & 63] : '') + (i + 2 < bytes.length ? digits[bits & 63] : '');
    }
    return text;
  };
  return encode({ alg: 'none', typ: 'JWT' }) + '.' + encode({ sub: uid, user_id: uid, uid, iat: Math.floor(Date.now() / 1000) }) + '.';
}

if (typeof module !== 'undefined') module.exports = { Messenger, devToken };
