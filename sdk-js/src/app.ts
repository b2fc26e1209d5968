import { Auth } from './auth';
import { fail, pathOf } from './check';
import { Database, ErrorMaker, Host } from './database';
import { log } from './log';
import { here } from './platform/here';

export interface Options {
  /** Where the server is, and maybe a path and `?ns=NAME`. The three names mean the same. */
  syncURL?: string;
  databaseURL?: string;
  url?: string;
  /** The database's name, if the address does not say it. */
  namespace?: string;
  /** `NAME.anything`: the name by which the auth interface knows the app. */
  authDomain?: string;
  /** Where the auth interface is, if not at the same server. */
  authURL?: string;
  /** Keep writes that wait over a restart of the program. */
  keepWrites?: boolean;
}

/** One server, one database and one user. The connection is made when the database is first asked for. */
export class App implements Host {
  protected database_: Database | undefined;
  private auth_: Auth | undefined;
  private credential_: [string | null, string | null] = [null, null];
  origin_: string;
  readonly path_: string[];
  namespace_: string;
  private readonly authURL_: string;
  readonly platform_ = here();

  constructor(readonly name: string, readonly options: Options, readonly maker_: ErrorMaker) {
    const address = options.syncURL || options.databaseURL || options.url || '';
    const parts = /^(?:(\w+):\/\/)?([^/?#]+)([^?#]*)(?:\?([^#]*))?/.exec(address) || fail('Bad URL: ' + address);
    const secure = /^(ws|http)$/.test(parts[1] || '') ? '' : 's';
    const named = /(?:^|&)ns=([^&]+)/.exec(parts[4] || '');
    this.origin_ = 'ws' + secure + '://' + parts[2];
    this.path_ = pathOf(decodeURIComponent(parts[3]));
    this.namespace_ = options.namespace || (named ? named[1] : '');
    const app = this.namespace_ || (options.authDomain || 'default').split('.')[0];
    const server = (options.authURL || 'http' + secure + '://' + parts[2]).replace(/\/+$/, '');
    this.authURL_ = server + '/v2/' + app.toLowerCase() + '/auth/';
  }

  get base_(): Database {
    // The session that is kept is known before the first request.
    this.session_;
    if (!this.database_) {
      this.database_ = new Database(this);
      this.database_.authenticate_(...this.credential_);
    }
    return this.database_;
  }

  lose_(status: string, text: string): void {
    log(status, text);
    this.session_.lose_(status);
  }

  isStale_(): boolean {
    return this.session_.isStale_();
  }

  get session_(): Auth {
    if (!this.auth_) {
      this.auth_ = new Auth(
        this.platform_, this.authURL_, 'dhole:session:' + this.authURL_ + this.name, (token, user) => {
          this.credential_ = [token, user];
          if (this.database_) this.database_.authenticate_(token, user);
        });
    }
    return this.auth_;
  }
}

export const timestamp = { '.sv': 'timestamp' };
export const increment = (by: number): any => ({ '.sv': { increment: by } });
