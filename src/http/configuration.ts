/** What the listener is told. Plain data: it crosses from the main thread into the worker. */

/** Certificate and key of a server, in PEM, read by the main thread. */
export interface TlsConfiguration {
  readonly certificate: string;
  readonly key: string;
  /** Ask for a client certificate and answer nothing without a valid one. */
  readonly requireCertificate: boolean;
  /** Authorities that client certificates are checked against, in PEM. */
  readonly authorities: string;
}

/** Where and how the server listens. */
export interface ListenConfiguration {
  /** IP address to bind, or null for all of them. */
  readonly address: string | null;
  /** TCP port; 0 lets the kernel choose. */
  readonly port: number;
  /** Listen on IPv6 as well as IPv4 (dual stack). */
  readonly ipv6: boolean;
  readonly tls: TlsConfiguration | null;
}

/** Which clients and peers are let in. */
export interface AdmissionConfiguration {
  /**
   * Networks (CIDR, or single addresses) that may come in. Given, they stand **instead of** the
   * defaults (private and link-local ranges and the networks of our own interfaces), so that a user
   * can narrow as well as widen. This host itself may always come in.
   */
  readonly allowedNetworks: readonly string[];
  /** Names, besides IP literals and this host's own, that a `Host` header may bear. */
  readonly serverNames: readonly string[];
}
