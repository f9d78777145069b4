/** Configuration of the listener. Plain data: the main thread sends it to the worker. */

/** Certificate and key of a server, in PEM, read by the main thread. */
export interface TlsConfiguration {
  readonly certificate: string;
  readonly key: string;
  /** Ask for a client certificate, and refuse connections without a valid one. */
  readonly requireCertificate: boolean;
  /** Authorities that client certificates are checked against, in PEM. */
  readonly authorities: string;
}

/** The address and port on which the server listens, and its TLS. */
export interface ListenConfiguration {
  /** IP address to bind, or null for all addresses. */
  readonly address: string | null;
  /** TCP port; 0 lets the kernel choose. */
  readonly port: number;
  /** Listen on IPv6 as well as IPv4 (dual stack). */
  readonly ipv6: boolean;
  readonly tls: TlsConfiguration | null;
}

/** Which clients are answered, and under which host names. */
export interface AdmissionConfiguration {
  /**
   * Networks (CIDR, or single addresses) whose clients are answered. If there are any, they **replace**
   * the defaults (private and link-local ranges and the networks of our own interfaces), so that a
   * user can allow less as well as more. This host itself is always answered.
   */
  readonly allowedNetworks: readonly string[];
  /** Names that a `Host` field may have, in addition to IP literals and this host's own names. */
  readonly serverNames: readonly string[];
}
