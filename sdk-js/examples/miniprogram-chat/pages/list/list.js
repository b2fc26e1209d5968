const app = getApp();

Page({
  data: { list: [], isConnected: false, names: '' },
  onLoad() {
    this.loaded = app.ready.then((messenger) => {
      this.messenger = messenger;
      messenger.on(messenger.root.child('.info/connected'), 'value', (snapshot) => this.setData({ isConnected: snapshot.val() }));
      messenger.watchList((list) => {
        this.setData({ list: list.map(({ id, title, kind, last, unread }) => ({ id, title, kind, last, unread, letter: title[0] || '?' })) });
      });
    });
  },
  name(event) {
    this.setData({ names: event.detail.value });
  },
  start() {
    const names = this.data.names.split(/[\s,，]+/).filter(Boolean);
    if (!names.length) return Promise.resolve();
    this.setData({ names: '' });
    const opening = names.length === 1
      ? this.messenger.openDirect(names[0])
      : this.messenger.openGroup(names.join(', '), names);
    return opening.then((id) => this.go(id), (error) => wx.showToast({ title: error.message, icon: 'none' }));
  },
  open(event) {
    this.go(event.currentTarget.dataset.id);
  },
  go(id) {
    wx.navigateTo({ url: `/pages/chat/chat?id=${encodeURIComponent(id)}` });
  },
});
