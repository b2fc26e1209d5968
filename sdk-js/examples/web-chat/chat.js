'use strict';
const find = (selector) => document.querySelector(selector);
const make = (name, text, className) => Object.assign(document.createElement(name), { textContent: text, className: className || '' });

const parameters = new URLSearchParams(location.search);
const me = parameters.get('me') || prompt('Your name (letters)?', 'ana') || 'ana';
const server = parameters.get('server') || `ws://${location.hostname}:${serverPort}`;
const app = wilddog.initializeApp({ syncURL: server, keepWrites: true }, me);
app.auth().signInWithToken(devToken(me), me);
const messenger = new Messenger(app.sync(), me, wilddog.ServerValue.TIMESTAMP);

find('#me').textContent = me;
app.sync().child('.info/connected').on('value', (snapshot) => {
  find('#state').textContent = snapshot.val() ? 'connected' : 'offline';
  find('#state').className = snapshot.val() ? 'on' : '';
});
messenger.appear();

let opened = null;
let endings = [];
let receipts = {};
let shown = [];
const colour = (name) => `hsl(${[...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 360} 45% 48%)`;

/** A link may name the conversation to show. */
let wanted = parameters.get('open');
messenger.watchList((list) => {
  const first = list.find((one) => one.id === wanted);
  if (first) {
    wanted = null;
    open(first);
  }
  find('#list').replaceChildren(...list.map((one) => {
    const item = make('li', '', opened === one.id ? 'open' : '');
    const face = make('i', one.title[0] || '?');
    face.style.background = colour(one.title);
    const text = make('div', '');
    text.append(make('b', one.title), make('p', one.last || 'nothing said yet'));
    item.append(face, text);
    if (one.unread && opened !== one.id) item.append(make('em', one.unread));
    item.onclick = () => open(one);
    return item;
  }));
});

function open(one) {
  for (const end of endings) end();
  opened = one.id;
  receipts = {};
  find('section').hidden = false;
  find('#title').textContent = one.title;
  find('#presence').textContent = one.kind === 'group' ? one.members.join(', ') : '';
  const messages = messenger.watchMessages(one.id, 20, (list, isAll) => {
    shown = list;
    show(one, messages, isAll);
    const last = list.filter((message) => typeof message.at === 'number').pop();
    if (last) messenger.read(one.id, last.at);
  });
  endings = [
    messages.off,
    messenger.watchReceipts(one.id, (all) => {
      receipts = all;
      show(one, messages);
    }),
    messenger.watchTyping(one.id, (who) => (find('#typing').textContent = who.length ? `${who.join(', ')} typing …` : '')),
  ];
  if (one.other) {
    endings.push(messenger.watchPresence(one.other, (state) => {
      find('#presence').textContent = state === true ? 'here now' : state ? `last here ${new Date(state).toLocaleTimeString()}` : 'never seen';
    }));
  }
}

let isAllShown = true;
function show(one, messages, isAll = isAllShown) {
  isAllShown = isAll;
  const box = find('#messages');
  const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  const nodes = shown.map((message) => {
    const node = make('div', message.recalled ? 'recalled' : message.text, `message${message.mine ? ' mine' : ''}${message.recalled ? ' recalled' : ''}`);
    const readers = Object.keys(receipts).filter((uid) => uid !== me && receipts[uid] >= message.at);
    const note = make('small', `${message.mine ? '' : message.from + ' · '}${new Date(message.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}${message.mine && readers.length ? ' · read' : ''}`);
    if (message.mine && !message.recalled && Date.now() - message.at < 120000) {
      const recall = make('a', 'recall');
      recall.onclick = () => messenger.recall(one.id, message.id);
      note.append(recall);
    }
    node.append(note);
    return node;
  });
  if (!isAll) {
    const more = make('button', 'Earlier messages', 'more');
    more.onclick = messages.more;
    nodes.unshift(more);
  }
  box.replaceChildren(...nodes);
  if (isAtEnd) box.scrollTop = box.scrollHeight;
}

find('#open').onsubmit = async (event) => {
  event.preventDefault();
  const names = find('#open input').value.split(/[\s,]+/).filter(Boolean);
  find('#open input').value = '';
  if (names.length === 1) await messenger.openDirect(names[0]);
  else if (names.length) await messenger.openGroup([me, ...names].join(', '), names);
};
let typingTimer = null;
function stopTyping() {
  clearTimeout(typingTimer);
  typingTimer = null;
  messenger.typing(opened, false);
}
find('#send input').oninput = () => {
  if (!typingTimer) messenger.typing(opened, true);
  clearTimeout(typingTimer);
  typingTimer = setTimeout(stopTyping, 3000);
};
find('#send').onsubmit = (event) => {
  event.preventDefault();
  const input = find('#send input');
  if (!input.value || !opened) return;
  messenger.send(opened, input.value);
  input.value = '';
  stopTyping();
};
