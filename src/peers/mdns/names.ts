/** The names and keys with which pacserve and pacredir announce themselves by DNS-SD (RFC 6763). */

/** The type of the service. It is the same as pacredir's, so that each finds the other. */
export const SERVICE_TYPE = "_pacserve._tcp.local";

/** The name whose records are the available types of services (RFC 6763 §9). */
export const SERVICE_TYPES = "_services._dns-sd._udp.local";

/** Time to live in seconds of the records that this program announces. */
export const TTL = 120;

/** Longest label of a name, in bytes (RFC 1035 §2.3.4). */
const MAX_LABEL = 63;

/**
 * Returns the name of this host's service.
 *
 * @param number 1 for the first try, and one more after each name that another host already has.
 */
export function instanceName(hostName: string, number: number): string {
  return `${label(`pacserve on ${hostName}`, number === 1 ? "" : ` (${number})`)}.${SERVICE_TYPE}`;
}

/**
 * Returns the name under which this host's addresses are announced; see {@link instanceName}. It differs from
 * the host name, which avahi-daemon and systemd-resolved announce: avahi renames the whole host if another
 * program, even on the same host, announces a further address of that name.
 */
export function targetName(hostName: string, number: number): string {
  return `${label(hostName, number === 1 ? "-pacserve" : `-pacserve-${number}`)}.local`;
}

/** Makes a label of a text and a suffix: shortens the text, and replaces dots, which would end the label. */
function label(text: string, suffix: string): string {
  const encoder = new TextEncoder();
  const characters = [...text.split(".").join("-")];
  while (encoder.encode(characters.join("") + suffix).length > MAX_LABEL) characters.pop();
  return characters.join("") + suffix;
}

/** The values in the TXT record of a service. */
export interface ServiceText {
  /** The distribution: `ID` of os-release. */
  readonly id: string | null;
  /** The architecture of its packages: `CARCH` of makepkg.conf(5). */
  readonly arch: string | null;
  /** The version of pacserve; null for pacredir. */
  readonly version: string | null;
  /** Identity of the running pacserve, which is new after each start; null for pacredir. */
  readonly instance: string | null;
  readonly scheme: "http" | "https";
}

/** Greatest length of a value. */
const MAX_VALUE = 64;

/**
 * Returns the strings of the TXT record. pacredir ignores servers without `id`; it cannot use servers
 * with TLS, so they get none.
 */
export function formatText({ id, arch, version, instance, scheme }: ServiceText): string[] {
  const values = scheme === "http"
    ? { id, arch, pacserve: version, instance }
    : { pacserve: version, instance, scheme };
  return Object.entries(values).flatMap(([key, value]) => value === null ? [] : `${key}=${value}`);
}

/** Parses the strings of a TXT record. If a key occurs twice, the first value is used (RFC 6763 §6.4). */
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
