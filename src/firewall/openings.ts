/** A rule taken apart into what every firewall understands: one family, one source at a time. */

import type { Network, PortRange, Protocol, Rule } from "./rules.ts";

/** Packets of one protocol and family, to these ports, from one network, are let in. */
export interface Opening {
  readonly family: 4 | 6;
  readonly protocol: Protocol;
  readonly ports: PortRange | null;
  /** Null: from anywhere. */
  readonly source: Network | null;
}

/** The openings of a rule, each once. Without sources these are one for IPv4 and one for IPv6. */
export function openingsOf({ protocol, ports, sources }: Rule): Opening[] {
  const families = protocol === "igmp" ? [4] as const : [4, 6] as const;
  const openings: Opening[] = sources === null
    ? families.map((family) => ({ family, protocol, ports, source: null }))
    : sources.map((source) => ({
      family: source.family,
      protocol,
      ports,
      source: source.prefix === 0 ? null : source,
    }));
  return [...new Map(openings.map((opening) => [openingText(opening), opening])).values()];
}

/** What an opening lets in, the same text for the same opening: `tcp 15678 from 10.0.0.0/8`. */
export function openingText({ family, protocol, ports, source }: Opening): string {
  const from = source === null ? `any IPv${family}` : networkText(source);
  return `${protocol}${ports === null ? "" : ` ${portsText(ports, "-")}`} from ${from}`;
}

/** The mark that our rules bear in firewalls that know comments; it tells them from all others. */
export function openingMark(opening: Opening): string {
  return `pacserve-ports ${openingText(opening)}`;
}

/** `10.0.0.0/8` */
export function networkText({ address, prefix }: Network): string {
  return `${address}/${prefix}`;
}

/** `15678`, or with what stands between the first and the last: `15678-15680`. */
export function portsText({ first, last }: PortRange, between: string): string {
  return first === last ? String(first) : `${first}${between}${last}`;
}
