import { type Peer, Registry } from "../../../src/peers/registry.ts";
import { search } from "../../../src/peers/search.ts";
import { assert, assertEquals } from "../../assert.ts";

/** Milliseconds; longer than any of these searches takes unless it waits in vain. */
const TIMEOUT = 5_000;

const registry = new Registry({ lifetime: 1 });

function peer(host: string): Peer {
  return registry.addStatic({ scheme: "http", host, port: 15678, path: "/" });
}

const [one, two, three] = [peer("one"), peer("two"), peer("three")] as const;

type Answer = "yes" | "no" | "never";

const said = (answer: Answer | undefined): Promise<boolean> =>
  answer === "never" ? new Promise(() => {}) : Promise.resolve(answer === "yes");

/** Searches among peers with the given answers. Returns the result and the questions. */
async function among(
  named: readonly Peer[],
  unknown: readonly Peer[],
  answers: { readonly check?: Map<Peer, Answer>; readonly confirm?: Map<Peer, Answer> },
  timeout = TIMEOUT,
): Promise<{ found: Peer | null; asked: string[] }> {
  const asked: string[] = [];
  const start = performance.now();
  const question = {
    check: (peer: Peer): Promise<boolean> => {
      asked.push(`check ${peer.location.host}`);
      return said(answers.check?.get(peer));
    },
    confirm: (peer: Peer): Promise<boolean> => {
      asked.push(`confirm ${peer.location.host}`);
      return said(answers.confirm?.get(peer));
    },
    ranked: (peers: readonly Peer[]): readonly Peer[] => peers,
  };
  const found = await search(question, named, unknown, timeout);
  if (found !== null) {
    assert(performance.now() - start < TIMEOUT, "the search ended only by the timeout");
  }
  return { found, asked };
}

Deno.test("search: if the index is right, no other peer is asked", async () => {
  const confirm = new Map([[one, "yes" as const]]);
  const { found, asked } = await among([one], [two], { confirm });
  assertEquals([found, asked], [one, ["confirm one"]]);
});

Deno.test("search: the other peers are asked when the only one with the file in its index hangs", async () => {
  const check = new Map([[two, "yes" as const], [three, "no" as const]]);
  const confirm = new Map<Peer, Answer>([[one, "never"], [two, "yes"]]);
  const { found, asked } = await among([one], [two, three], { check, confirm });
  assertEquals(found, two);
  assertEquals(asked, ["confirm one", "check two", "check three", "confirm two"]);
});

Deno.test("search: a peer that hangs does not delay others with the file in their index", async () => {
  const confirm = new Map<Peer, Answer>([[one, "never"], [two, "yes"]]);
  const { found, asked } = await among([one, two], [three], { confirm });
  assertEquals([found, asked], [two, ["confirm one", "confirm two"]]);
});

Deno.test("search: a positive answer is confirmed while others have not answered, and one of them hangs", async () => {
  const check = new Map<Peer, Answer>([[two, "yes"], [three, "never"]]);
  const confirm = new Map<Peer, Answer>([[one, "never"], [two, "yes"]]);
  const { found } = await among([one], [two, three], { check, confirm });
  assertEquals(found, two);
});

Deno.test("search: ends when no peer has the file", async () => {
  const check = new Map([[two, "no" as const]]);
  const confirm = new Map([[one, "no" as const]]);
  const { found, asked } = await among([one], [two], { check, confirm });
  assertEquals([found, asked], [null, ["confirm one", "check two"]]);
  assertEquals(await among([], [], {}), { found: null, asked: [] });
});

Deno.test("search: ends at the timeout when no peer answers", async () => {
  const check = new Map<Peer, Answer>([[two, "never"]]);
  const confirm = new Map<Peer, Answer>([[one, "never"]]);
  const { found, asked } = await among([one], [two], { check, confirm }, 200);
  assertEquals([found, asked], [null, ["confirm one", "check two"]]);
});
