import { PacredirHosts } from "../../../src/peers/pacredir_hosts.ts";
import { type Peer, Registry } from "../../../src/peers/registry.ts";
import { assert, assertEquals } from "../../assert.ts";

const MAX_PACREDIR_HOSTS = 8;

function hosts(count: number): Peer[] {
  const registry = new Registry({ lifetime: 1_000 });
  return Array.from({ length: count }, (_, index) => {
    const location = {
      scheme: "http",
      host: `10.0.0.${index + 1}`,
      port: 7078,
      path: "/",
    } as const;
    const peer = registry.heard(location, "announcement", "pacredir");
    if (peer === null) throw new Error("there is no room");
    return peer;
  });
}

Deno.test("PacredirHosts asks eight hosts for a file, and chooses them again each time", () => {
  const all = hosts(20);
  const pacredir = new PacredirHosts({ offers: () => Promise.resolve({ has: "yes", size: 1 }) });
  const asked = new Set<Peer>();
  for (let search = 0; search < 100; search++) {
    const chosen = pacredir.chosen(all);
    assertEquals(new Set(chosen).size, MAX_PACREDIR_HOSTS);
    for (const host of chosen) asked.add(host);
  }
  assertEquals(asked.size, 20);
});

Deno.test("PacredirHosts asks a host last if it lacked three consecutive files, until it has one", async () => {
  const all = hosts(10);
  const [first, ...rest] = all;
  assert(first !== undefined);
  let offer: "yes" | "not found" = "not found";
  const pacredir = new PacredirHosts({ offers: () => Promise.resolve({ has: offer, size: null }) });
  const isAsked = (): boolean =>
    Array.from({ length: 100 }, () => pacredir.chosen(all)).some((chosen) =>
      chosen.includes(first)
    );
  for (let file = 0; file < 2; file++) {
    assertEquals((await pacredir.offers(first, "url")).has, "not found");
  }
  assert(isAsked(), "after two files");
  await pacredir.offers(first, "url");
  assert(!isAsked(), "after three files");
  assert(pacredir.chosen([first, ...rest.slice(0, 7)]).at(-1) === first);
  offer = "yes";
  assertEquals((await pacredir.offers(first, "url")).has, "yes");
  assert(isAsked(), "after it had one");
});
