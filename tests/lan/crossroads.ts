/** Creates two LANs with a machine on both. */

import type { ArchMachine } from "./arch.ts";
import type { Network } from "./network.ts";
import type { Scene } from "./scene.ts";

/** Makes a LAN with alder, another with cedar, and birch on both. */
export async function crossroads(
  scene: Scene,
  other: Network,
): Promise<{ alder: ArchMachine; birch: ArchMachine; cedar: ArchMachine }> {
  const [alder, birch, cedar] = [
    await scene.machine("alder"),
    await scene.machine("birch"),
    await scene.machine("cedar"),
  ];
  await other.connect(birch.host, "eth1");
  await scene.lan.unplug(cedar.host);
  await other.connect(cedar.host, "eth1");
  return { alder, birch, cedar };
}
