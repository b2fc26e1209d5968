import { fail } from './check';
import { Platform } from './platform';
import { tellBoth } from './reference';

type Callback = ((error: Error | null, value?: any) => void) | undefined;

/** How the account's members are called by the server, and by programs if that is different. */
const members = ('localId:uid displayName email phoneNumber:phone photoUrl:photoURL providerId emailVerified ' +
  'phoneNumberVerified:phoneVerified providerUserInfo:providerData').split(' ').map((pair) => pair.split(':'));

/** Somebody who has signed in. */
export class User {
  refreshToken = null;
  readonly auth_: () => Auth;
  kept_: any;
  [member: string]: any;

  constructor(auth: Auth, account: any) {
    // A function, so that a user can be written down as JSON.
    this.auth_ = () => auth;
    this.read_(account);
  }

  read_(account: any): void {
    this.kept_ = account;
    for (const [name, mine = name] of members) this[mine] = account[name] || (/Ver/.test(name) ? false : /Info/.test(name) ? [] : null);
    this.isAnonymous = account.providerId === 'anonymous';
  }

  getToken(): string | null {
    return this.auth_().token_;
  }
  getPhone(): string | null {
    return this.phone;
  }
  updateProfile({ displayName, photoURL: photoUrl }: any, call?: Callback): Promise<any> {
    const changes = JSON.parse(JSON.stringify({ displayName, photoUrl }));
    const auth = this.auth_();
    return tellBoth(
      auth.call_('setAccountInfo', { idToken: auth.token_, ...changes }).then(() => {
        this.read_({ ...this.kept_, ...changes });
        auth.keep_();
      }), call);
  }
  link(credential: any, call?: Callback): Promise<any> {
    return this.auth_().signInWithCredential({ idToken: this.auth_().token_, authType: 'link', ...credential }, call);
  }
  reauthenticate(credential: any, call?: Callback): Promise<any> {
    return this.auth_().signInWithCredential(credential, call);
  }
}

/** Signing in, and who is signed in. The session is kept in the platform's storage. */
export class Auth {
  currentUser: User | null = null;
  token_: string | null = null;
  private watchers_: ((user: User | null) => void)[] = [];
  private isRenewing_ = false;
  [method: string]: any;

  constructor(
    private readonly platform_: Platform, public url_: string, private readonly key_: string,
    private readonly changed_: (token: string | null, user: string | null) => void,
  ) {
    try {
      const [token, account] = JSON.parse(platform_.storage_.get_(key_));
      this.currentUser = new User(this, account);
      changed_((this.token_ = token), account.localId);
    } catch (error) {
      // Nobody was signed in.
    }
  }

  onAuthStateChanged(call: (user: User | null) => void): () => void {
    this.watchers_.push(call);
    Promise.resolve().then(() => this.watchers_.indexOf(call) < 0 || call(this.currentUser));
    return () => {
      this.watchers_ = this.watchers_.filter((other) => other !== call);
    };
  }

  signInWithCredential(credential: any, call?: Callback): Promise<User> {
    const { providerId, idToken } = credential;
    const isPassword = providerId === 'password';
    return tellBoth(
      this.signIn_(
        !isPassword ? 'credential' : idToken ? change : verify, { authType: 'login', ...credential }, !isPassword), call);
  }

  /** Signs in as the user of the mini-program, whom the platform knows. */
  signInWeapp(call?: Callback): Promise<User> {
    return tellBoth(
      PLATFORM === 'web' || PLATFORM === 'node'
        ? Promise.reject(coded('Only in mini-programs', 'TRANSPORT_UNAVAILABLE'))
        : this.platform_.login_!().then((values) => this.signIn_('wxapp', values)), call);
  }

  /** Signs in with a token that the program's own server has made for the user; nobody is asked. */
  signInWithToken(idToken: string, localId: string, call?: Callback): Promise<User> {
    this.begin_(idToken, { localId, providerId: 'custom' });
    return tellBoth(Promise.resolve(this.currentUser!), call);
  }

  signOut(): Promise<void> {
    this.begin_(null);
    return Promise.resolve();
  }

  /** Asks the server's auth interface; its refusals are errors with its code and text. */
  call_(name: string, values: any, isGet?: boolean): Promise<any> {
    return this.platform_.request_(this.url_ + name, isGet ? 'GET' : 'POST', values).then(
      (answer) => {
        const { error, errcode, code, idToken, message } = answer;
        if (error || errcode || (code && !idToken)) throw coded(message || error, errcode || code || 'UNKNOWN_ERROR');
        // A token is renewed when nine tenths of its life are over.
        return idToken ? { ...answer, renewAt: Date.now() + answer.expireIn * 900 } : answer;
      },
      (error) => {
        throw coded(error.errMsg || error.message, 'NETWORK_ERROR');
      });
  }

  signIn_(name: string, values: any, isGet?: boolean): Promise<User> {
    return this.call_(name, values, isGet).then((answer) => {
      if (!answer.idToken) throw coded('No token', 'UNKNOWN_ERROR');
      return this.account_(answer);
    });
  }

  /** Looks up whose the token of an answer is, and signs in as that. */
  account_(answer: any): Promise<User> {
    const { idToken } = answer;
    return this.call_('getAccountInfo', { idToken }).then(({ users }) => {
      this.begin_(idToken, (users && users[0]) || fail('No such user'), answer);
      return this.currentUser!;
    });
  }

  /** Whether the token must be renewed before anything else, which has begun then. */
  isStale_(): boolean {
    const user = this.currentUser;
    const token = this.token_;
    if (!user || !(user.kept_.renewAt <= Date.now())) return false;
    if (!this.isRenewing_) {
      this.isRenewing_ = true;
      this.call_('renewToken', { refreshToken: user.kept_.refreshToken })
        .then((answer) => () => this.begin_(answer.idToken, user.kept_, answer),
          // The account may be no more. What else goes wrong may go right the next time.
          (error) => () => error.code < 29999 && this.begin_(null))
        .then((end) => {
          this.isRenewing_ = false;
          if (token === this.token_) end();
        });
    }
    return true;
  }

  /** The server has refused the token, or says that it has ended. */
  lose_(status: string): void {
    const user = this.currentUser;
    if (status !== 'expired_token' || !user || !user.kept_.refreshToken) return this.begin_(null);
    user.kept_.renewAt = 0;
    this.isStale_();
  }

  /** Somebody else, or nobody, or the same with a new token, and with what renews that. */
  begin_(idToken: string | null, account?: any, { refreshToken, renewAt }: any = {}): void {
    const old = this.currentUser;
    const uid = account ? account.localId : null;
    const isSame = uid === (old ? old.uid : null);
    const isNewToken = this.token_ !== idToken;
    this.token_ = idToken;
    if (refreshToken) account = { ...account, refreshToken, renewAt };
    if (isSame && old) old.read_(account);
    else this.currentUser = account ? new User(this, account) : null;
    this.keep_();
    if (isNewToken) this.changed_(idToken, uid);
    if (!isSame) for (const call of this.watchers_) call(this.currentUser);
  }

  /** Writes the session down for the next start. */
  keep_(): void {
    const { storage_ } = this.platform_;
    const user = this.currentUser;
    if (user) storage_.set_(this.key_, JSON.stringify([this.token_, user.kept_]));
    else storage_.remove_(this.key_);
  }
}

// MARK: Methods that only pass their arguments on

/** What becomes of an answer: a sign-in by its token, by the present one, a sign-out, a list, or itself. */
const enum Then { signIn, reload, signOut, providers, itself }

const verify = 'verifyPassword';
const change = 'setAccountInfo';

/** Name, endpoint, names of the arguments, what else is sent, and what becomes of the answer. */
type Passing = [name: string, endpoint: string, parameters: string, constants?: any, then?: Then];

function addPassing(to: any, list: Passing[]): void {
  for (const [name, endpoint, parameters, constants, then = Then.signIn] of list) {
    to.prototype[name] = function (...given: any[]) {
      const isUser = !!this.auth_;
      const auth: Auth = isUser ? this.auth_() : this;
      const values: any = { ...constants };
      if (isUser) values.idToken = auth.token_;
      if (/Phone/.test(name) && isUser) values.phoneNumber = this.phone;
      const names = parameters.split(' ').filter(Boolean);
      names.forEach((parameter, i) => (values[parameter] = parameter === 'deleteProvider' ? [given[i]] : given[i]));
      const done: Promise<any> = then === Then.signIn ? auth.signIn_(endpoint, values)
        : auth.call_(endpoint, values).then((answer) =>
          then === Then.reload ? auth.account_({ idToken: auth.token_, ...auth.currentUser!.kept_, ...answer })
            : then === Then.signOut ? auth.signOut()
              : then === Then.providers ? answer.allProviders
                : answer);
      return tellBoth(done, given[names.length]);
    };
  }
}

const byPassword = { providerId: 'password' };
const up = 'signupNewUser';
const mail = 'getOobConfirmationCode';
addPassing(Auth, [
  ['signInAnonymously', up, ''],
  ['createUserWithEmailAndPassword', up, 'email password'],
  ['createUserWithPhoneAndPassword', up, 'phoneNumber password'],
  ['signInWithEmailAndPassword', verify, 'email password', byPassword],
  ['signInWithPhoneAndPassword', verify, 'phoneNumber password', byPassword],
  ['signInWithCustomToken', 'verifyCustomToken', 'token', { providerId: 'custom' }],
  ['sendPasswordResetEmail', mail, 'email', { requestType: 'RESET_PASSWORD' }, Then.itself],
  ['sendPasswordResetSms', 'sendSmsCode', 'phoneNumber', { type: 'PASSWORD_RESET' }, Then.itself],
  ['confirmPasswordResetSms', 'resetPhonePassword', 'phoneNumber smsCode password', {}, Then.itself],
  ['fetchProvidersForEmail', 'getProvider', 'email', {}, Then.providers],
]);
addPassing(User, [
  ['updateEmail', change, 'email'],
  ['updatePhone', change, 'phoneNumber'],
  ['updatePassword', change, 'password'],
  ['unlink', change, 'deleteProvider', {}, Then.reload],
  ['delete', 'deleteAccount', '', {}, Then.signOut],
  ['reload', 'getAccountInfo', '', {}, Then.reload],
  ['sendEmailVerification', mail, '', { requestType: 'VERIFY_EMAIL' }, Then.itself],
  ['sendPhoneVerification', 'sendSmsCode', '', { type: 'PHONE_VERIFY' }, Then.itself],
  ['verifyPhone', 'verifyPhone', 'smsCode', {}, Then.reload],
  // The name that programs know.
  ['verifiyPhone', 'verifyPhone', 'smsCode', {}, Then.reload],
]);

const coded = (message: any, code: any): Error => Object.assign(new Error(message), { code });
