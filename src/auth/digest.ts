/**
 * Digest authentication (RFC 7616): SHA-256 and MD5 are offered in this order, with `qop=auth`, nonces
 * that expire and cannot be forged, and nonce counts that can each be used once.
 */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import type { HttpRequest, Reply } from "../http/exchange.ts";
import { improper, tooManyAttempts, unauthorized } from "./challenge.ts";
import type { AuthConfiguration, User } from "./configuration.ts";
import { type DigestCredentials, isSameTarget, readBasic, readDigest } from "./credentials.ts";
import {
  type Algorithm,
  ALGORITHMS,
  equalInConstantTime,
  type Proof,
  responseAuthOf,
  responseOf,
  secretOf,
} from "./hash.ts";
import { parseAuthorization, quote } from "./header.ts";
import { isFresh, makeNonce, NonceCounts, type NonceCountsState, readNonce } from "./nonces.ts";
import { PAUSES, Throttle, type ThrottleState, type Turn } from "./throttle.ts";

const MAX_NONCES = 10_000;
const MAX_GUESSERS = 10_000;

/** A user who logged in. */
interface LoggedIn {
  readonly user: string;
  /** The `Authentication-Info` field of the reply; null after basic authentication. */
  readonly info: string | null;
}

/** The result of a check: the user, or the reply to a client that has not logged in. */
export type LoginVerdict = LoggedIn | { readonly reply: Reply };

/**
 * The reply to a user: with the user's name for the access log, and with a field that proves to the
 * client that the server knows the password too (RFC 7616 §3.5).
 */
export function replyToUser(reply: Reply, { user, info }: LoggedIn): Reply {
  const headers = info === null ? reply.headers : { ...reply.headers, "Authentication-Info": info };
  return { ...reply, headers, user };
}

/** State for the worker that replaces this one, so that no user has to log in again. Plain data; secret. */
export interface DigestState {
  /** The key of the nonces, in base64. */
  readonly key: string;
  readonly counts: NonceCountsState;
  readonly throttle: ThrottleState;
  /** True when no request was answered after this state was exported. */
  readonly final: boolean;
}

/** The secrets H(A1) of one user, by algorithm. */
type Secrets = Readonly<Record<Algorithm, string>>;

/**
 * Checks which user sends a request.
 *
 * It is as safe without the state of the worker before it: it answers a nonce that it does not know with
 * `stale=true`, and clients then log in again by themselves.
 *
 * Its event `changed` tells that there is more to hand on to the next worker.
 */
export class Digest extends EventEmitter<{ changed: [] }> {
  readonly #realm: string;
  #users: ReadonlyMap<string, Secrets>;
  /** Checked for unknown users, so that they take as long to refuse as a wrong password. */
  readonly #nobody: Secrets;
  readonly #throttle: Throttle;
  readonly #key: Uint8Array;
  readonly #counts: NonceCounts;

  /** @param state of the worker before this one. */
  constructor(configuration: AuthConfiguration, state?: DigestState) {
    super();
    this.#realm = configuration.realm;
    this.#users = this.#secretsOfAll(configuration.users);
    this.#nobody = this.#secretsOf("", randomBytes(32).toString("hex"));
    this.#key = state === undefined ? randomBytes(32) : Buffer.from(state.key, "base64");
    // A worker that died may have accepted requests after it exported its state. So that they cannot be
    // replayed, treat every nonce until now as stale; clients then get a new one.
    const counts = state?.final === false ? { nonces: [], floor: Date.now() } : state?.counts;
    this.#counts = new NonceCounts(MAX_NONCES, counts);
    this.#throttle = new Throttle(MAX_GUESSERS, state?.throttle);
  }

  /** Replaces the users, in the same realm. The state of nonces and of failed attempts is kept. */
  replaceUsers(users: readonly User[]): void {
    this.#users = this.#secretsOfAll(users);
  }

  /**
   * Checks which user sends a request. It returns a promise only for an address that guesses passwords.
   *
   * @param now the time in milliseconds since 1970
   */
  check(request: HttpRequest, now: number = Date.now()): LoginVerdict | Promise<LoginVerdict> {
    const field = request.headers["authorization"];
    if (field === undefined) return this.#challenge(now, false);
    const credentials = parseAuthorization(field);
    if (credentials === null) return { reply: improper("The Authorization field is malformed.") };
    if (credentials.scheme === "basic") {
      const basic = readBasic(credentials.token, request);
      if (basic === null) return this.#challenge(now, false);
      const response = this.#secretsOf(basic.name, basic.password)["SHA-256"];
      return this.#unhurried(request, now, (time) => {
        const user = this.#users.get(basic.name) ?? this.#nobody;
        if (equalInConstantTime(user["SHA-256"], response)) return { user: basic.name, info: null };
        return this.#refuse(request, time);
      });
    }
    if (credentials.scheme !== "digest") return this.#challenge(now, false);
    const digest = readDigest(credentials.parameters);
    if (digest === null) {
      return { reply: improper("A parameter of the Authorization field is missing or malformed.") };
    }
    if (!isSameTarget(digest.uri, request)) {
      return {
        reply: improper("The uri in the Authorization field is not the target of the request."),
      };
    }
    const { algorithm } = digest;
    if (algorithm === null || digest.realm !== this.#realm) return this.#challenge(now, false);
    const judge = (time: number): LoginVerdict => this.#judge(request, digest, algorithm, time);
    // Do not delay a client that has logged in as this user with this nonce from this address, even if
    // other clients at the address guess passwords.
    const { remoteAddress } = request.connection;
    if (this.#counts.isKnown(digest.nonce, digest.user, remoteAddress)) return judge(now);
    return this.#unhurried(request, now, judge);
  }

  /**
   * The state that the worker after this one needs.
   *
   * @param final true when this worker will answer no more requests
   */
  exportState(final: boolean): DigestState {
    return {
      final,
      key: Buffer.from(this.#key).toString("base64"),
      counts: this.#counts.exportState(),
      throttle: this.#throttle.exportState(),
    };
  }

  /** Judges a request at once or, if its address guesses passwords, after a wait. */
  #unhurried(
    request: HttpRequest,
    now: number,
    judge: (time: number) => LoginVerdict,
  ): LoginVerdict | Promise<LoginVerdict> {
    const started = performance.now();
    const turn = this.#throttle.turn(request, now);
    const proceed = (turn: Turn, time: number): LoginVerdict => {
      if (turn === "come") return judge(time);
      // A client must not be able to skip the wait by closing its connection.
      if (turn === "gone") return this.#challenge(time, false);
      return { reply: tooManyAttempts(PAUSES.max / 1000) };
    };
    return turn instanceof Promise
      ? turn.then((later) => proceed(later, now + performance.now() - started))
      : proceed(turn, now);
  }

  #judge(
    request: HttpRequest,
    digest: DigestCredentials,
    algorithm: Algorithm,
    now: number,
  ): LoginVerdict {
    const proof: Proof = { ...digest, method: request.method };
    const user = this.#users.get(digest.user);
    const secret = (user ?? this.#nobody)[algorithm];
    const isRight = equalInConstantTime(responseOf(algorithm, secret, proof), digest.response);
    if (!isRight || user === undefined) return this.#refuse(request, now);
    const issued = readNonce(this.#key, digest.nonce);
    if (issued === null || !isFresh(issued, now)) return this.#challenge(now, true);
    const use = {
      nonce: digest.nonce,
      issued,
      count: parseInt(digest.nonceCount, 16),
      user: digest.user,
      address: request.connection.remoteAddress,
    };
    if (!this.#counts.use(use, now)) return this.#challenge(now, true);
    this.emit("changed");
    const info = `rspauth="${responseAuthOf(algorithm, secret, proof)}", qop=auth, ` +
      `cnonce=${quote(digest.clientNonce)}, nc=${digest.nonceCount}`;
    return { user: digest.user, info };
  }

  #refuse(request: HttpRequest, now: number): LoginVerdict {
    this.#throttle.fail(request.connection.remoteAddress, now);
    this.emit("changed");
    return this.#challenge(now, false);
  }

  #challenge(now: number, stale: boolean): LoginVerdict {
    const nonce = makeNonce(this.#key, now);
    return { reply: unauthorized({ realm: this.#realm, nonce, stale }) };
  }

  #secretsOfAll(users: readonly User[]): ReadonlyMap<string, Secrets> {
    return new Map(users.map(({ name, password }) => [name, this.#secretsOf(name, password)]));
  }

  #secretsOf(name: string, password: string): Secrets {
    const [sha256, md5] = ALGORITHMS.map((algorithm) =>
      secretOf(algorithm, name, this.#realm, password)
    );
    return { "SHA-256": sha256 ?? "", "MD5": md5 ?? "" };
  }
}
