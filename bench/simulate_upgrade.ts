/** Measures the cost of a simultaneous upgrade of all hosts, for the LAN and the mirror. */

import { paced } from "../tests/relay/hostile_source.ts";
import { bytes } from "../tests/relay/scene.ts";
import { download } from "../tests/relay/strict_client.ts";
import { Lan } from "../tests/relay/together.ts";

/** The file that all want. One processor is all hosts: its line is slow, so that this does not count. */
const FILE_SIZE = 2 * 1024 * 1024;
/** Bytes a second that the mirror gives. */
const RATE = 512 * 1024;

/** What it costs. */
export interface UpgradeCosts {
  readonly servers: number;
  /** Requests between the servers for one file: to trackers, holders, readers. */
  readonly messages: number;
  /** The bytes of these questions and answers, without the file. */
  readonly bytes: number;
  /** Bytes that the mirror sent, as a multiple of the file's size. */
  readonly mirror: number;
  /** Milliseconds until the last one had the file, as a multiple of what one alone takes. */
  readonly last: number;
}

/** Has so many real relays, all in this process, want a file in the same moment. */
export async function measureUpgrade(servers: number): Promise<UpgradeCosts> {
  const alone = await measure(1);
  const { messages, bytes, mirror, time } = await measure(servers);
  return { servers, messages, bytes, mirror, last: time / alone.time };
}

interface Measured extends Pick<UpgradeCosts, "messages" | "bytes" | "mirror"> {
  readonly time: number;
}

async function measure(servers: number): Promise<Measured> {
  const file = bytes(FILE_SIZE);
  let measured: Measured | null = null;
  await Lan.with({ file, hosts: 0, mirror: paced(RATE) }, async (lan) => {
    for (let i = 0; i < servers; i++) {
      await lan.add();
      await lan.meet();
    }
    const before = total(lan);
    const begun = performance.now();
    await Promise.all(lan.hosts.map(({ port }) => download(port, "/own", file.length)));
    const time = performance.now() - begun;
    const after = total(lan);
    measured = {
      messages: after.count - before.count,
      bytes: after.bytes - before.bytes,
      mirror: lan.copies,
      time,
    };
  });
  return measured!;
}

function total({ hosts }: Lan): { readonly count: number; readonly bytes: number } {
  return {
    count: hosts.reduce((sum, { asked }) => sum + asked.count, 0),
    bytes: hosts.reduce((sum, { asked }) => sum + asked.bytes, 0),
  };
}
