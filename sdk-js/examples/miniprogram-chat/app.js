const wilddog = require('./lib/dhole-weapp.min.js');
const { Messenger, devToken } = require('./utils/messenger.js');
const { server, uid } = require('./config.js');

App({
  onLaunch() {
    wilddog.initializeApp({ syncURL: server, keepWrites: true });
    const auth = wilddog.auth();
    // With a name of one's own the server must be in dev mode; else WeChat says who it is.
    const signedIn = uid ? auth.signInWithToken(devToken(uid), uid) : auth.currentUser ? Promise.resolve(auth.currentUser) : auth.signInWeapp();
    this.ready = signedIn.then((user) => {
      this.messenger = new Messenger(wilddog.sync(), user.uid, wilddog.ServerValue.TIMESTAMP);
      this.messenger.appear();
      return this.messenger;
    });
  },
});
