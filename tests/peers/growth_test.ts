import { assertEquals } from "../assert.ts";
import { find, servePeer, type TestPeer, until, verdictOf } from "./lan.ts";

Deno.test("Peers: the number of messages grows with the packages or the peers, but not with their product", async () => {
  const peerCount = 8;
  const packageCount = 40;
  await using stack = new AsyncDisposableStack();
  const peers: TestPeer[] = [];
  for (let peer = 0; peer < peerCount; peer++) {
    const names = Array.from({ length: packageCount }, (_, index) => `p${index}-of${peer}`);
    const files = names.map((name) => `pkg/${name}`);
    const index = { names: () => Promise.resolve(names), directories: [] };
    peers.push(stack.use(await servePeer(files, {}, { index })));
  }
  await until(() => peers.every(({ peers }) => peers.replyHeaders()["Pacserve-Index"] === "1"));
  const asking = stack.use(await servePeer([], { staticPeers: peers.map(({ base }) => base) }));
  await until(() => peers.every(({ base }) => verdictOf(asking, base, "nothing") === "no"));
  const messages = (): number => peers.reduce((sum, { requests }) => sum + requests.length, 0);

  const before = messages();
  for (let index = 0; index < packageCount; index++) {
    const { base } = peers[index % peerCount] as TestPeer;
    const name = `p${index}-of${index % peerCount}`;
    assertEquals(await find(asking, `pkg/${name}`), `${base}pkg/${name}`);
  }
  assertEquals(messages() - before, packageCount);

  // Packages that no peer has need no messages.
  for (let index = 0; index < packageCount; index++) {
    assertEquals(await find(asking, `pkg/absent${index}`), null);
  }
  assertEquals(messages() - before, packageCount);
});
