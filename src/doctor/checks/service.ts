/** Checks that the service runs, that its unit is in order, and that its version is the installed one. */

import { findProgram, runProgram } from "../../firewall/programs.ts";
import { VERSION } from "../../version.ts";
import { type Check, type Finding, NOT_RUNNING, well, wrong } from "../check.ts";
import type { CheckedHost } from "../checked_host.ts";

const UNIT = "pacserve.service";

/** The command that shows why the unit does not run. */
const JOURNAL = `journalctl -eu ${UNIT}`;

/** `service`: pacserve answers, and systemd starts it. */
export const serviceCheck: Check = {
  name: "service",
  run: async (host) => {
    const [service, unit] = await Promise.all([host.service(), unitState()]);
    return service === null ? await notAnswering(host, unit) : answering(service.address, unit);
  },
};

/** `version`: the running version is the installed one. */
export const versionCheck: Check = {
  name: "version",
  run: async (host) => {
    const service = await host.service();
    if (service === null) return NOT_RUNNING;
    const running = service.version === null ? "an older version" : `version ${service.version}`;
    return service.version === VERSION
      ? well(`the running version is the installed one, ${VERSION}`)
      : wrong(
        `${running} of pacserve runs, and ${VERSION} is installed`,
        `systemctl restart ${UNIT}`,
      );
  },
};

/** Properties of a unit (org.freedesktop.systemd1(5)), by name. */
type UnitState = ReadonlyMap<string, string>;

/** Returns the state of the unit; null when systemd does not run or has no such unit. */
async function unitState(): Promise<UnitState | null> {
  if (findProgram("systemctl") === null) return null;
  const { success, output } = await runProgram("systemctl", [
    ...["show", UNIT, "--no-pager"],
    "--property=LoadState,ActiveState,UnitFileState,Result,NeedDaemonReload",
  ]);
  if (!success) return null;
  const state = new Map(
    output.split("\n").flatMap((line): [string, string][] => {
      const equals = line.indexOf("=");
      return equals < 0 ? [] : [[line.slice(0, equals), line.slice(equals + 1)]];
    }),
  );
  return state.get("LoadState") === "not-found" ? null : state;
}

function answering(address: URL, unit: UnitState | null): Finding {
  const where = `it answers at ${address.origin}`;
  if (unit === null || unit.get("ActiveState") === "inactive") {
    return well(`${where}, started by hand`);
  }
  if (unit.get("NeedDaemonReload") === "yes") {
    return wrong(
      `${where}, but its unit was changed since it was started`,
      `systemctl daemon-reload && systemctl restart ${UNIT}`,
    );
  }
  if (unit.get("UnitFileState") === "disabled") {
    return well(`${where}; it does not start at boot ("systemctl enable ${UNIT}" changes that)`);
  }
  return well(where);
}

async function notAnswering(host: CheckedHost, unit: UnitState | null): Promise<Finding> {
  const addresses = await host.addresses().catch(() => []);
  const where = addresses.map(({ origin }) => origin).join(", ") ||
    `http://localhost:${await host.port()}`;
  if (unit === null) {
    return wrong(`no pacserve answers at ${where}`, `systemctl enable --now ${UNIT}`);
  }
  switch (unit.get("ActiveState")) {
    case "active":
      return wrong(
        `${UNIT} runs, but does not answer at ${where}`,
        `${JOURNAL} shows the address on which it listens; write it into ${host.paths.addressFile}`,
      );
    case "activating":
    case "failed":
      return wrong(
        `${UNIT} does not start (${unit.get("Result")})`,
        `${JOURNAL} shows the reason`,
      );
    default:
      if (unit.get("UnitFileState")?.startsWith("masked") === true) {
        return wrong(
          `${UNIT} is masked, and cannot be started`,
          `systemctl unmask ${UNIT} && systemctl enable --now ${UNIT}`,
        );
      }
      return unit.get("UnitFileState") === "enabled"
        ? wrong(`${UNIT} is enabled, but does not run`, `systemctl start ${UNIT}`)
        : wrong(`${UNIT} does not run`, `systemctl enable --now ${UNIT}`);
  }
}
