/** The configuration of the status. Plain data: it is sent to the worker. */

/** The settings of the status. */
export interface StatusConfiguration {
  /** Absolute path of the directory in which the main thread stores the counters; null to store none. */
  readonly stateDirectory: string | null;
  /** Networks (CIDR) that may read `/metrics`, in addition to this host. */
  readonly metricsNetworks: readonly string[];
}
