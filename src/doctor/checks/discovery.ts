/** Checks that peers can find this host, and that it finds peers. */

import type { PeerRow } from "../../peers/peers.ts";
import { type Check, listed, NOT_RUNNING, shortList, unknown, well, wrong } from "../check.ts";

/** Seconds; a little longer than the interval of five minutes between announcements. */
const LATELY = 330;

/** The result if the running pacserve has no report. */
const TOO_OLD = unknown("the running pacserve is too old for this check");

/** `announcement`: the server receives its own announcements to the LAN. */
export const announcementCheck: Check = {
  name: "announcement",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    if (service.report === null) return TOO_OLD;
    const { echoes, places } = service.report;
    if (places.means.length === 0) {
      return unknown("it does not announce itself (there is no --multicast and no --mdns)");
    }
    if (echoes.length === 0) return unknown("this host has no network");
    const named = (heard: boolean): string[] =>
      echoes.filter((echo) => echo.heard === heard).map(({ means, place }) =>
        `${means} on ${place}`
      );
    const lost = named(false);
    if (lost.length === 0) return well(`its announcement came back by ${listed(named(true))}`);
    return wrong(
      `its announcement does not come back by ${listed(lost)}`,
      "open UDP 15679 and UDP 5353 in the firewall (systemctl enable --now pacserve-ports); " +
        "journalctl -u pacserve shows whether another program blocks the port",
    );
  },
};

/** `peers`: a peer answers, or discovery is set up. */
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
    if (failing.some(shouldRun)) {
      return wrong(
        `no peer answers: ${shortList(whose)}`,
        "run pacserve-status --check on those machines: is pacserve running there, and TCP 15678 open?",
      );
    }
    if (failing.length > 0) return unknown(`no peer is reachable at present: ${shortList(whose)}`);
    if (means.length === 0 && peers.length === 0) {
      return wrong(
        "discovery is off, and no peer is named with --peer",
        `put --multicast --mdns into PACSERVE_ARGS in ${host.paths.settings}, then systemctl restart pacserve`,
      );
    }
    if (means.length > 0 && interfaces.length === 0) {
      const [first] = leftOut;
      return wrong(
        "discovery has no network interface" +
          (first === undefined
            ? ": there is no network"
            : `: --multicast-ignore matches ${listed(leftOut)}`),
        first === undefined
          ? "bring the network up"
          : `put --multicast-interface ${first} into PACSERVE_ARGS in ${host.paths.settings}`,
      );
    }
    return unknown(
      `no peer was found yet; discovery uses ${listed(means)} on ${listed(interfaces)}. If there ` +
        "is a peer whose multicast does not arrive, name it with --peer http://<address>:15678/",
    );
  },
};

/** True when a peer should be running: it is named with --peer, or has announced itself lately. */
function shouldRun({ origin, lastSeen }: PeerRow): boolean {
  return origin === "static" || (lastSeen !== null && lastSeen < LATELY);
}
