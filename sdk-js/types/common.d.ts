/** What both entries have in common. */

/** How an app is set up. `syncURL`, `databaseURL` and `url` mean the same. */
export interface AppOptions {
  /** Where the server is: `wss://HOST[:PORT][/PATH][?ns=NAME]`; `http(s)://` is the same. */
  syncURL?: string;
  databaseURL?: string;
  url?: string;
  /** The database's name, if the address does not say it. */
  namespace?: string;
  /** `NAME.anything`: the name by which the auth interface knows the app. */
  authDomain?: string;
  /** Where the auth interface is, if not at the same server. */
  authURL?: string;
  /** Keep writes that wait in the platform's storage, at most 200,000 characters of them. */
  keepWrites?: boolean;
}

export type EventType = 'value' | 'child_added' | 'child_changed' | 'child_removed' | 'child_moved';
export type Priority = string | number | null;
export type WriteCallback = (error: Error | null) => void;
export type CancelCallback = (error: Error & { code: number | string }) => void;

/** Something that the server fills in. */
export interface Placeholder {
  '.sv': 'timestamp' | { increment: number };
}
export interface ServerValues {
  TIMESTAMP: Placeholder;
  increment(by: number): Placeholder;
}

/** What the server does once this connection has ended. The promises tell that it has taken the order. */
export interface OnDisconnect {
  set(value: unknown, callback?: WriteCallback): Promise<void>;
  setWithPriority(value: unknown, priority: Priority, callback?: WriteCallback): Promise<void>;
  update(values: Record<string, unknown>, callback?: WriteCallback): Promise<void>;
  remove(callback?: WriteCallback): Promise<void>;
  cancel(callback?: WriteCallback): Promise<void>;
}

export interface ProviderInfo {
  providerId: string;
  uid?: string;
  displayName?: string | null;
  photoURL?: string | null;
}
export type Credential = { providerId: string } & Record<string, string>;
export type AuthCallback<T = unknown> = (error: (Error & { code: number | string }) | null, value?: T) => void;

/** Somebody who has signed in. */
export interface User {
  readonly uid: string;
  readonly displayName: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly photoURL: string | null;
  readonly providerId: string;
  readonly emailVerified: boolean;
  readonly phoneVerified: boolean;
  readonly isAnonymous: boolean;
  readonly providerData: ProviderInfo[];
  readonly refreshToken: null;
  getToken(): string | null;
  getPhone(): string | null;
  reload(callback?: AuthCallback): Promise<User>;
  updateProfile(profile: { displayName?: string; photoURL?: string }, callback?: AuthCallback): Promise<void>;
  updateEmail(email: string, callback?: AuthCallback): Promise<User>;
  updatePhone(phoneNumber: string, callback?: AuthCallback): Promise<User>;
  updatePassword(password: string, callback?: AuthCallback): Promise<User>;
  link(credential: Credential, callback?: AuthCallback): Promise<User>;
  unlink(providerId: string, callback?: AuthCallback): Promise<User>;
  reauthenticate(credential: Credential, callback?: AuthCallback): Promise<User>;
  delete(callback?: AuthCallback): Promise<void>;
  sendEmailVerification(callback?: AuthCallback): Promise<unknown>;
  sendPhoneVerification(callback?: AuthCallback): Promise<unknown>;
  verifyPhone(code: string, callback?: AuthCallback): Promise<User>;
  /** The same; the name that older programs know. */
  verifiyPhone(code: string, callback?: AuthCallback): Promise<User>;
}

export interface Auth {
  readonly currentUser: User | null;
  onAuthStateChanged(callback: (user: User | null) => void): () => void;
  /** Signs in as the user of the mini-program. */
  signInWeapp(callback?: AuthCallback<User>): Promise<User>;
  signInAnonymously(callback?: AuthCallback<User>): Promise<User>;
  createUserWithEmailAndPassword(email: string, password: string, callback?: AuthCallback<User>): Promise<User>;
  createUserWithPhoneAndPassword(phone: string, password: string, callback?: AuthCallback<User>): Promise<User>;
  signInWithEmailAndPassword(email: string, password: string, callback?: AuthCallback<User>): Promise<User>;
  signInWithPhoneAndPassword(phone: string, password: string, callback?: AuthCallback<User>): Promise<User>;
  signInWithCustomToken(token: string, callback?: AuthCallback<User>): Promise<User>;
  signInWithCredential(credential: Credential, callback?: AuthCallback<User>): Promise<User>;
  /** Signs in with an id token that the program's own server has got for the user. */
  signInWithToken(idToken: string, uid: string, callback?: AuthCallback<User>): Promise<User>;
  fetchProvidersForEmail(email: string, callback?: AuthCallback<string[]>): Promise<string[]>;
  sendPasswordResetEmail(email: string, callback?: AuthCallback): Promise<unknown>;
  sendPasswordResetSms(phone: string, callback?: AuthCallback): Promise<unknown>;
  confirmPasswordResetSms(phone: string, code: string, password: string, callback?: AuthCallback): Promise<unknown>;
  signOut(): Promise<void>;
}
