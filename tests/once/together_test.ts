/** Real pacman, and a LAN that upgrades in the same moment: each package crosses the internet once. */

import { assertQuiet, names, Together, upgrade } from "./upgrade.ts";

Deno.test("eight hosts upgrade in the same second", async () => {
  await using lan = await Together.create(8, Deno.env.get("ONCE_RATE") ?? "40mbit");
  const begun = performance.now();
  const times: number[] = [];
  const outcomes = await Promise.all(lan.machines.map(async (each) => {
    const outcome = await upgrade(each);
    times.push(Math.round(performance.now() - begun));
    return outcome;
  }));
  console.log(times.join(" "), "ms");
  assertQuiet(outcomes, () => lan.logs());
  await lan.assertSent(names, 1.1);
});
