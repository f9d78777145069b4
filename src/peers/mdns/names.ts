/** The names and keys under which pacserve and pacredir announce themselves by DNS-SD (RFC 6763). */

/** The type of service: pacredir's, which ours shares so that each finds the other. */
export const SERVICE_TYPE = "_pacserve._tcp.local";

/** Asking for this name gives the types of service there are (RFC 6763 §9). */
export const SERVICE_TYPES = "_services._dns-sd._udp.local";

/** Seconds for which what ours says may be believed. */
export const TTL = 120;

/** Longest label of a name, in bytes (RFC 1035 §2.3.4). */
const MAX_LABEL = 63;

/**
 * The name under which this host looks for its own service.
 *
 * @param number 1 for the first try, more after others had the names before it.
 */
export function instanceName(hostName: string, number: number): string {
  return `${label(`pacserve on ${hostName}`, number === 1 ? "" : ` (${number})`)}.${SERVICE_TYPE}`;
}

/**
 * The name under which this host's addresses are announced; see {@link instanceName}. It is not the
 * host's own: avahi-daemon and systemd-resolved announce that, and avahi takes another name for the
 * whole host as soon as anybody, on this host too, says that the name has an address more.
 */
export function targetName(hostName: string, number: number): string {
  return `${label(hostName, number === 1 ? "-pacserve" : `-pacserve-${number}`)}.local`;
}

/** Shortens a text such that it is a label with its suffix; a dot would end the label. */
function label(text: string, suffix: string): string {
  const encoder = new TextEncoder();
  const characters = [...text.split(".").join("-")];
  while (encoder.encode(characters.join("") + suffix).length > MAX_LABEL) characters.pop();
  return characters.join("") + suffix;
}

/** What the TXT record of a service says. */
export interface ServiceText {
  /** The distribution: `ID` of os-release. */
  readonly id: string | null;
  /** `CARCH`: the architecture of its packages. */
  readonly arch: string | null;
  /** The version of ours; null for pacredir. */
  readonly version: string | null;
  /** Identity of the running server of ours: another one after each start. */
  readonly instance: string | null;
  readonly scheme: "http" | "https";
}

/** Longest value that is kept. */
const MAX_VALUE = 64;

/** The strings of the TXT record. pacredir uses no server with TLS, and takes one without `id` for none. */
export function formatText({ id, arch, version, instance, scheme }: ServiceText): string[] {
  const values = scheme === "http"
    ? { id, arch, pacserve: version, instance }
    : { pacserve: version, instance, scheme };
  return Object.entries(values).flatMap(([key, value]) => value === null ? [] : `${key}=${value}`);
}

/** Reads the strings of a TXT record: of a key that comes twice the first counts (RFC 6763 §6.4). */
export function parseText(strings: readonly string[]): ServiceText {
  const values = new Map<string, string>();
  for (const text of strings) {
    const [, key, value] = /^([!-<>-~]+)=([!-~]*)$/.exec(text) ?? [];
    if (key === undefined || value === undefined || value.length > MAX_VALUE) continue;
    if (!values.has(key.toLowerCase())) values.set(key.toLowerCase(), value);
  }
  return {
    id: values.get("id") ?? null,
    arch: values.get("arch") ?? null,
    version: values.get("pacserve") ?? null,
    instance: values.get("instance") ?? null,
    scheme: values.get("scheme") === "https" ? "https" : "http",
  };
}
