import { type Peer, Registry } from "../../../src/peers/registry.ts";
import { search } from "../../../src/peers/search.ts";
import { assert, assertEquals } from "../../assert.ts";

/** Longer than any of these takes, if it is not waited for. */
const TIMEOUT = 5_000;

const registry = new Registry({ lifetime: 1 });

function peer(host: string): Peer {
  return registry.addStatic({ scheme: "http", host, port: 15678, path: "/" });
}

const [one, two, three] = [peer("one"), peer("two"), peer("three")] as const;

type Answer = "yes" | "no" | "never";

const said = (answer: Answer | undefined): Promise<boolean> =>
  answer === "never" ? new Promise(() => {}) : Promise.resolve(answer === "yes");

/** Searches among peers that answer as they are told; also gives what they were asked. */
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
  if (found !== null) assert(performance.now() - start < TIMEOUT, "it came with the last second");
  return { found, asked };
}

Deno.test("if the index is right, nobody else is asked", async () => {
  const confirm = new Map([[one, "yes" as const]]);
  const { found, asked } = await among([one], [two], { confirm });
  assertEquals([found, asked], [one, ["confirm one"]]);
});

Deno.test("the others are asked when the only peer with the file in its index hangs", async () => {
  const check = new Map([[two, "yes" as const], [three, "no" as const]]);
  const confirm = new Map<Peer, Answer>([[one, "never"], [two, "yes"]]);
  const { found, asked } = await among([one], [two, three], { check, confirm });
  assertEquals(found, two);
  assertEquals(asked, ["confirm one", "check two", "check three", "confirm two"]);
});

Deno.test("one that hangs does not keep those back that the index names too", async () => {
  const confirm = new Map<Peer, Answer>([[one, "never"], [two, "yes"]]);
  const { found, asked } = await among([one, two], [three], { confirm });
  assertEquals([found, asked], [two, ["confirm one", "confirm two"]]);
});

Deno.test("a yes is confirmed although others still think, and one of them hangs", async () => {
  const check = new Map<Peer, Answer>([[two, "yes"], [three, "never"]]);
  const confirm = new Map<Peer, Answer>([[one, "never"], [two, "yes"]]);
  const { found } = await among([one], [two, three], { check, confirm });
  assertEquals(found, two);
});

Deno.test("when all say no, it is over", async () => {
  const check = new Map([[two, "no" as const]]);
  const confirm = new Map([[one, "no" as const]]);
  const { found, asked } = await among([one], [two], { check, confirm });
  assertEquals([found, asked], [null, ["confirm one", "check two"]]);
  assertEquals(await among([], [], {}), { found: null, asked: [] });
});

Deno.test("when nobody answers, it ends in time", async () => {
  const check = new Map<Peer, Answer>([[two, "never"]]);
  const confirm = new Map<Peer, Answer>([[one, "never"]]);
  const { found, asked } = await among([one], [two], { check, confirm }, 200);
  assertEquals([found, asked], [null, ["confirm one", "check two"]]);
});
