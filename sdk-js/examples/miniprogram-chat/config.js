module.exports = {
  // The developer tools reach a server of this machine if the check of domains is off.
  server: 'ws://127.0.0.1:9000',
  // Who to be, in dev mode; empty: whoever WeChat says.
  uid: 'ana',
};
