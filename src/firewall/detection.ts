/** Which places turn packets away on this machine. */

import { Failure } from "../failure.ts";
import { firewalldPlace, firewalldPlaces, firewalldRuns } from "./firewalld.ts";
import { chosenIptables, iptablesPlace, surveyIptables } from "./iptables.ts";
import { filteringChains, nftablesPlace } from "./nftables.ts";
import type { Place, PlaceName } from "./chain.ts";
import { findProgram, PROGRAMS } from "./programs.ts";
import type { FirewallSetting } from "./rules.ts";

/**
 * Finds the places in which ports have to be opened.
 *
 * `auto`: where firewalld runs, its zones; else every input chain of nftables and of both forms of
 * iptables (ufw's rules are there, too) that turns packets away. None: nothing has to be opened.
 *
 * @throws {Failure} when the firewall that is named is not there, or one cannot be asked.
 */
export async function findPlaces(setting: FirewallSetting): Promise<Place[]> {
  switch (setting) {
    case "none":
      return [];
    case "firewalld":
      if (!await firewalldRuns()) {
        throw new Failure("PACSERVE_FIREWALL names firewalld, which does not run");
      }
      return await firewalldPlaces();
    case "nftables":
      if (findProgram("nft") === null) {
        throw new Failure("PACSERVE_FIREWALL names nftables, but nft is not installed");
      }
      return (await filteringChains()).map(nftablesPlace);
    case "iptables":
      return await iptablesOnly();
    case "auto":
      return await firewalldRuns() ? await firewalldPlaces() : await filteringPlaces();
  }
}

/** The place of that name. */
export function placeOf(name: PlaceName): Place {
  switch (name.firewall) {
    case "firewalld":
      return firewalldPlace(name.zone);
    case "nftables": {
      const { family, table, chain } = name;
      if (family === "ip" || family === "ip6" || family === "inet") {
        return nftablesPlace({ family, table, chain });
      }
      break;
    }
    case "iptables": {
      const program = PROGRAMS.find((known) => known === name.program);
      if (program !== undefined) return iptablesPlace(program);
    }
  }
  throw new Failure(`there is no such firewall: ${JSON.stringify(name)}`);
}

async function iptablesOnly(): Promise<Place[]> {
  const chosen = chosenIptables();
  if (chosen.length === 0) {
    throw new Failure("PACSERVE_FIREWALL names iptables, which is not installed");
  }
  const surveys = await Promise.all([surveyIptables(4), surveyIptables(6)]);
  const filtering = surveys.flatMap((survey) => survey.filtering);
  return (filtering.length > 0 ? filtering : chosen).map(iptablesPlace);
}

async function filteringPlaces(): Promise<Place[]> {
  const [chains, four, six] = await Promise.all([
    filteringChains(),
    surveyIptables(4),
    surveyIptables(6),
  ]);
  const owners = { ip: four, ip6: six };
  const free = chains.filter(({ family, table, chain }) =>
    family === "inet" || table !== "filter" || chain !== "INPUT" ||
    !owners[family].ownsNftablesTable
  );
  return [
    ...free.map(nftablesPlace),
    ...[...four.filtering, ...six.filtering].map(iptablesPlace),
  ];
}
