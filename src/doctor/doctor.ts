/** The doctor: runs all checks concurrently, and collects their results. */

import { messageOf } from "../failure.ts";
import { type Check, type Finding, unknown } from "./check.ts";
import type { CheckedHost } from "./checked_host.ts";
import { ipv6Check, nameCheck, portCheck } from "./checks/addresses.ts";
import { announcementCheck, peersCheck } from "./checks/discovery.ts";
import { cacheCheck, databasesCheck, diskCheck } from "./checks/files.ts";
import { firewallCheck } from "./checks/firewall.ts";
import { clockCheck, mirrorsCheck } from "./checks/mirrors.ts";
import { addressFileCheck, configurationCheck, signaturesCheck } from "./checks/pacman.ts";
import { serviceCheck, versionCheck } from "./checks/service.ts";

/** All checks, in the order in which they are shown. */
const CHECKS: readonly Check[] = [
  serviceCheck,
  versionCheck,
  portCheck,
  ipv6Check,
  nameCheck,
  announcementCheck,
  peersCheck,
  firewallCheck,
  addressFileCheck,
  configurationCheck,
  signaturesCheck,
  cacheCheck,
  databasesCheck,
  diskCheck,
  mirrorsCheck,
  clockCheck,
];

/** The time limit of a check in milliseconds. */
const TIME_LIMIT = 9_500;

/** The result of a check, with the check's name. */
type Examined = Finding & { readonly name: string };

/** The results of all checks. */
export interface Examination {
  /** False when no pacserve answers. */
  readonly isRunning: boolean;
  /** In the order of {@link CHECKS}. */
  readonly checks: readonly Examined[];
}

/** Receives the progress of an examination. */
export interface ExaminationListener {
  /** Called at the start and after each check, with the names of the unfinished ones. */
  progressed(waiting: readonly string[]): void;
}

/** Runs all checks. It takes at most ten seconds. */
export async function examine(
  host: CheckedHost,
  listener: ExaminationListener | null = null,
  timeLimit: number = TIME_LIMIT,
): Promise<Examination> {
  const waiting = new Set(CHECKS.map(({ name }) => name));
  listener?.progressed([...waiting]);
  let isRunning = false;
  void host.service().then(
    (service) => isRunning = service !== null,
    // A server answers, but its reply is not valid.
    () => isRunning = true,
  );
  const checks = await Promise.all(CHECKS.map(async (check): Promise<Examined> => {
    const finding = await inTime(check, host, timeLimit);
    waiting.delete(check.name);
    listener?.progressed([...waiting]);
    return { name: check.name, ...finding };
  }));
  return { isRunning, checks };
}

async function inTime(check: Check, host: CheckedHost, limit: number): Promise<Finding> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(
      () => resolve(unknown(`the check takes longer than ${limit / 1000} s`)),
      limit,
    );
  });
  try {
    return await Promise.race([check.run(host), late]);
  } catch (error) {
    return unknown(messageOf(error));
  } finally {
    clearTimeout(timer);
  }
}
