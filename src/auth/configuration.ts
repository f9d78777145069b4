/** Users, and what they have to log in for. Plain data: the main thread sends it to the worker. */

/** A user of HTTP digest authentication. */
export interface User {
  readonly name: string;
  readonly password: string;
}

/** What digest authentication is told. */
export interface AuthConfiguration {
  /** Empty: no login is needed. */
  readonly users: readonly User[];
  /** Reading is open; only uploading needs a user. */
  readonly uploadOnly: boolean;
  /** The realm that clients show when they ask for the password: `Pacserve`, `Quickserve`. */
  readonly realm: string;
}
