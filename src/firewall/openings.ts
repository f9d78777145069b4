/** Splits rules into openings, which every firewall can express: of one family, from one source. */

import type { Network, PortRange, Protocol, Rule } from "./rules.ts";

/** Accepts packets of one family and protocol, to some ports, from one network. */
export interface Opening {
  readonly family: 4 | 6;
  readonly protocol: Protocol;
  readonly ports: PortRange | null;
  /** Null for any source. */
  readonly source: Network | null;
}

/** The openings of a rule, without duplicates. A rule without sources has one for IPv4 and one for IPv6. */
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

/** An opening as text, such as `tcp 15678 from 10.0.0.0/8`; equal openings have equal texts. */
export function openingText({ family, protocol, ports, source }: Opening): string {
  const from = source === null ? `any IPv${family}` : networkText(source);
  return `${protocol}${ports === null ? "" : ` ${portsText(ports, "-")}`} from ${from}`;
}

/** The comment of the rule for an opening, by which we recognise the rules that we added. */
export function openingMark(opening: Opening): string {
  return `pacserve-ports ${openingText(opening)}`;
}

/** A network in CIDR notation: `10.0.0.0/8`. */
export function networkText({ address, prefix }: Network): string {
  return `${address}/${prefix}`;
}

/** A port (`15678`), or a range with the text `between` its first and last port (`15678-15680`). */
export function portsText({ first, last }: PortRange, between: string): string {
  return first === last ? String(first) : `${first}${between}${last}`;
}
