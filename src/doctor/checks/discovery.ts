/** Whether this host can be found, and finds others. */

import type { PeerRow } from "../../peers/peers.ts";
import { type Check, listed, NOT_RUNNING, shortList, unknown, well, wrong } from "../check.ts";

/** Seconds: a server announces itself every five minutes. */
const LATELY = 330;

/** What a service says that is too old to be asked. */
const TOO_OLD = unknown("the running pacserve is too old to say it");

/** `announcement`: what the server sends to the LAN comes back to it. */
export const announcementCheck: Check = {
  name: "announcement",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    if (service.report === null) return TOO_OLD;
    const { echoes, places } = service.report;
    if (places.means.length === 0) {
      return unknown("it announces itself nowhere (no --multicast, no --mdns)");
    }
    if (echoes.length === 0) return unknown("there is no network to announce it in");
    const named = (heard: boolean): string[] =>
      echoes.filter((echo) => echo.heard === heard).map(({ means, place }) =>
        `${means} on ${place}`
      );
    const lost = named(false);
    if (lost.length === 0) return well(`its announcement came back by ${listed(named(true))}`);
    return wrong(
      `its announcement does not come back by ${listed(lost)}`,
      "a firewall must let in UDP 15679 and UDP 5353 (systemctl enable --now pacserve-ports); " +
        "journalctl -u pacserve says whether another program has the port for itself",
    );
  },
};

/** `peers`: others were heard, or it is clear where they are looked for. */
export const peersCheck: Check = {
  name: "peers",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    if (service.report === null) return TOO_OLD;
    const { peers, places: { means, interfaces, leftOut } } = service.report;
    const alive = peers.filter(({ state }) => state === "alive");
    if (alive.length > 0) {
      const trips = alive.map(({ url, roundTrip }) =>
        roundTrip === null ? url : `${url} in ${roundTrip.toFixed(1)} ms`
      );
      const some = alive.length === peers.length
        ? ""
        : `${alive.length} of ${peers.length} answer: `;
      return well(some + shortList(trips));
    }
    const failing = peers.filter(({ state }) => state === "backoff");
    const whose = failing.map(({ url, trouble }) => `${url} (${trouble ?? "no answer"})`);
    if (failing.some(isThere)) {
      return wrong(
        `no peer answers: ${shortList(whose)}`,
        "run pacserve-status --check on those machines: is pacserve running there, and TCP 15678 open?",
      );
    }
    if (failing.length > 0) return unknown(`no peer is there now: ${shortList(whose)} left`);
    if (means.length === 0 && peers.length === 0) {
      return wrong(
        "no peers are looked for, and none is named",
        `put --multicast --mdns into PACSERVE_ARGS in ${host.paths.settings}, then systemctl restart pacserve`,
      );
    }
    if (means.length > 0 && interfaces.length === 0) {
      const [first] = leftOut;
      return wrong(
        "peers are looked for on no interface" +
          (first === undefined
            ? ": there is no network"
            : `: ${listed(leftOut)} is left out by its name`),
        first === undefined
          ? "bring the network up"
          : `put --multicast-interface ${first} into PACSERVE_ARGS in ${host.paths.settings}`,
      );
    }
    return unknown(
      `no peer was heard yet; they are looked for by ${listed(means)} on ${listed(interfaces)}. ` +
        "Where there are some, --peer http://<address>:15678/ names one whose multicast does not arrive",
    );
  },
};

/** A machine that was named, or heard lately, is not just switched off. */
function isThere({ origin, lastSeen }: PeerRow): boolean {
  return origin === "static" || (lastSeen !== null && lastSeen < LATELY);
}
