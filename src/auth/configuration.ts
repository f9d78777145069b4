/** Users, and the requests that need a login. Plain data: the main thread sends it to the worker. */

/** A user of HTTP digest authentication. */
export interface User {
  readonly name: string;
  readonly password: string;
}

/** Configuration of digest authentication. */
export interface AuthConfiguration {
  /** Empty: no login is needed. */
  readonly users: readonly User[];
  /** True: only uploading needs a login, reading does not. */
  readonly uploadOnly: boolean;
  /** The realm that clients show when they ask for the password: `Pacserve`, `Quickserve`. */
  readonly realm: string;
}
