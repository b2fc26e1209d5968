const app = getApp();

Page({
  data: { messages: [], typing: '', presence: '', text: '', isAll: true, last: '' },
  onLoad(options) {
    this.id = decodeURIComponent(options.id);
    this.receipts = {};
    this.list = [];
    this.ends = [];
    this.loaded = app.ready.then((messenger) => {
      this.messenger = messenger;
      const one = messenger.conversations[this.id] || {};
      wx.setNavigationBarTitle({ title: one.title || '' });
      this.watching = messenger.watchMessages(this.id, 20, (list, isAll) => {
        this.list = list;
        this.setData({ isAll });
        this.show();
        const last = list.filter((message) => typeof message.at === 'number').pop();
        if (last && this.isShown) messenger.read(this.id, last.at);
      });
      this.ends.push(
        this.watching.off,
        messenger.watchReceipts(this.id, (receipts) => {
          this.receipts = receipts;
          this.show();
        }),
        messenger.watchTyping(this.id, (who) => this.setData({ typing: who.length ? `${who.join(', ')} typing …` : '' })));
      if (one.other) {
        this.ends.push(messenger.watchPresence(one.other, (state) =>
          this.setData({ presence: state === true ? 'here now' : state ? 'away' : '' })));
      }
    });
  },
  onShow() {
    this.isShown = true;
    const last = (this.list || []).slice(-1)[0];
    if (last && this.messenger) this.messenger.read(this.id, last.at);
  },
  onHide() {
    this.isShown = false;
  },
  onUnload() {
    for (const end of this.ends) end();
    if (this.typingTimer) this.stopTyping();
  },
  show() {
    const me = this.messenger.me;
    this.setData({
      messages: this.list.map((message) => ({
        ...message,
        text: message.recalled ? 'recalled' : message.text,
        read: Object.keys(this.receipts).some((uid) => uid !== me && this.receipts[uid] >= message.at),
      })),
      last: this.list.length ? `m${this.list[this.list.length - 1].id}` : '',
    });
  },
  onPullDownRefresh() {
    this.watching.more();
    wx.stopPullDownRefresh();
  },
  more() {
    this.watching.more();
  },
  input(event) {
    this.setData({ text: event.detail.value });
    if (!this.typingTimer) this.messenger.typing(this.id, true);
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => this.stopTyping(), 3000);
  },
  stopTyping() {
    clearTimeout(this.typingTimer);
    this.typingTimer = null;
    return this.messenger.typing(this.id, false);
  },
  send() {
    const { text } = this.data;
    if (!text) return Promise.resolve();
    this.setData({ text: '' });
    this.stopTyping();
    return this.messenger.send(this.id, text).catch((error) => wx.showToast({ title: error.message, icon: 'none' }));
  },
  press(event) {
    const { id } = event.currentTarget.dataset;
    const message = this.list.filter((one) => one.id === id)[0];
    if (!message || !message.mine || message.recalled) return;
    wx.showActionSheet({
      itemList: ['Recall'],
      success: () => this.messenger.recall(this.id, id).catch(() => wx.showToast({ title: 'Too late', icon: 'none' })),
    });
  },
});
