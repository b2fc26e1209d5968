// A call: `calls/$call` holds who, the offer, the answer and each side's candidates; `ringing/$uid` says that there is one.
'use strict';
const find = (selector) => document.querySelector(selector);
const parameters = new URLSearchParams(location.search);
const me = parameters.get('me') || prompt('Your name (letters)?', 'ana') || 'ana';
const server = parameters.get('server') || `ws://${location.hostname}:${serverPort}`;
const app = wilddog.initializeApp({ syncURL: server }, me);
app.auth().signInWithToken(devToken(me), me);
const root = app.sync();
const calls = root.child('calls');
let call = null;

function say(text, { canAnswer = false, canEnd = false } = {}) {
  find('#state').textContent = text;
  find('#answer').hidden = !canAnswer;
  find('#end').hidden = !canEnd;
  // One call at a time.
  for (const part of ['#dial input', '#call', '#hint']) find(part).hidden = canEnd;
}
find('#me').textContent = me;

class Call {
  constructor(id, other) {
    this.id = id;
    this.other = other;
    this.at = calls.child(id);
    this.offs = [];
    this.peer = new RTCPeerConnection({ iceServers: [] });
    this.waiting = [];
    this.peer.ontrack = ({ streams }) => (find('#theirs').srcObject = streams[0]);
    this.peer.onicecandidate = ({ candidate }) => {
      if (candidate) this.at.child(`candidates/${me}`).push(JSON.stringify(candidate)).catch(() => {});
    };
    this.peer.onconnectionstatechange = () => {
      if (this.peer.connectionState === 'connected') say(`in a call with ${other}`, { canEnd: true });
      if (this.peer.connectionState === 'failed') this.end();
    };
  }

  on(path, type, tell) {
    const query = path ? this.at.child(path) : this.at;
    query.on(type, tell, () => {});
    this.offs.push(() => query.off(type, tell));
  }

  async begin() {
    this.stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
    find('#mine').srcObject = this.stream;
    for (const track of this.stream.getTracks()) this.peer.addTrack(track, this.stream);
    // The other side hangs up, or is gone: the call is no more.
    let wasThere = false;
    this.on('from', 'value', (snapshot) => {
      if (snapshot.exists()) wasThere = true;
      else if (wasThere) this.close();
    });
    this.at.onDisconnect().remove();
    this.on(`candidates/${this.other}`, 'child_added', (snapshot) => {
      this.waiting.push(JSON.parse(snapshot.val()));
      this.addCandidates();
    });
  }

  /** Candidates are of use only once the other side has been described. */
  addCandidates() {
    if (!this.peer.remoteDescription) return;
    for (const candidate of this.waiting.splice(0)) this.peer.addIceCandidate(candidate);
  }

  async describe(text) {
    await this.peer.setRemoteDescription(JSON.parse(text));
    this.addCandidates();
  }

  async dial() {
    await this.at.set({ from: me, to: this.other, at: wilddog.ServerValue.TIMESTAMP });
    await this.begin();
    await this.peer.setLocalDescription(await this.peer.createOffer());
    await this.at.child('offer').set(JSON.stringify(this.peer.localDescription));
    this.on('answer', 'value', (snapshot) => {
      if (snapshot.exists() && !this.peer.remoteDescription) this.describe(snapshot.val());
    });
    await root.child(`ringing/${this.other}/${this.id}`).set(me);
    say(`calling ${this.other} …`, { canEnd: true });
  }

  async answer() {
    say(`answering ${this.other} …`, { canEnd: true });
    await this.begin();
    await this.describe((await this.at.child('offer').once('value')).val());
    await this.peer.setLocalDescription(await this.peer.createAnswer());
    await this.at.child('answer').set(JSON.stringify(this.peer.localDescription));
  }

  end() {
    this.at.remove().catch(() => {});
    this.close();
  }

  close() {
    if (call !== this) return;
    call = null;
    for (const off of this.offs) off();
    this.peer.close();
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    find('#theirs').srcObject = find('#mine').srcObject = null;
    root.child(`ringing/${me}/${this.id}`).remove().catch(() => {});
    say('ready');
  }
}

root.child('.info/connected').on('value', (snapshot) => {
  if (!call) say(snapshot.val() ? 'ready' : 'offline');
});
root.child(`ringing/${me}`).on('child_added', (snapshot) => {
  if (call) return;
  call = new Call(snapshot.key(), snapshot.val());
  say(`${call.other} is calling`, { canAnswer: true, canEnd: true });
});
find('#dial').onsubmit = (event) => {
  event.preventDefault();
  const other = find('#dial input').value.trim();
  if (!other || call) return;
  call = new Call(calls.push().key(), other);
  call.dial().catch((error) => {
    if (call) call.end();
    say(error.message);
  });
};
find('#answer').onclick = () => call && call.answer();
find('#end').onclick = () => call && call.end();
