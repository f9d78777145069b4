/** What the status of a server is told. Plain data, for the worker. */

/** Where counters are kept, and who else may read them. */
export interface StatusConfiguration {
  /** Absolute path of the directory in which the main thread keeps the counters; null: nowhere. */
  readonly stateDirectory: string | null;
  /** Networks (CIDR) that may ask for `/metrics`, besides this host. */
  readonly metricsNetworks: readonly string[];
}
