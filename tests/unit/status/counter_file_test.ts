/** Counters on disk: they come back, and whatever the file has become is no reason not to start. */

import { CounterFile } from "../../../src/status/counter_file.ts";
import { Counters } from "../../../src/status/counters.ts";
import { KeptCounters } from "../../../src/status/kept_counters.ts";
import { assertEquals, assertMatch } from "../../assert.ts";
import { until } from "../../listening.ts";
import { KeptLog } from "../../log.ts";
import { inScratch, shell } from "../../scratch.ts";
import { flowsOf } from "./flows.ts";

const peer = flowsOf("received", "peer", 1000);

/** Opens the counters of a directory, counts, and closes them; what the sum was before. */
async function countIn(directory: string, log = new KeptLog()): Promise<number> {
  const counters = await KeptCounters.open(directory, log);
  const before = counters.state().total.received.peer.bytes;
  counters.add(peer);
  await counters.close();
  return before;
}

Deno.test("KeptCounters: what was counted is there after a restart, in a directory that it makes", () =>
  inScratch(async (top) => {
    const log = new KeptLog();
    const directory = `${top}/state/pacserve`;
    assertEquals(await countIn(directory, log), 0);
    assertEquals(await countIn(directory, log), 1000);
    const counters = await KeptCounters.open(directory, log);
    const { total, sinceStart, today, hours } = counters.state();
    assertEquals(today, total);
    assertEquals(total.received.peer, { files: 2, bytes: 2000 });
    assertEquals(sinceStart.received.peer.bytes, 0);
    assertEquals(hours.length, 1);
    await counters.close();
    assertEquals(log.lines, []);
    assertEquals(Deno.statSync(`${directory}/counters.json`).mode! & 0o777, 0o600);
  }));

Deno.test("KeptCounters: a crash loses what was counted since the last write, which is not long ago", () =>
  inScratch(async (directory) => {
    const path = `${directory}/counters.json`;
    const counters = await KeptCounters.open(directory, new KeptLog(), 50);
    const empty = Deno.readTextFileSync(path);
    counters.add(peer);
    // Not at once: many counts become one write.
    assertEquals(Deno.readTextFileSync(path), empty);
    await until(() => Deno.readTextFileSync(path).includes('"bytes":1000'), "it is written");
    assertEquals([...Deno.readDirSync(directory)].length, 2);
    await counters.close();
  }));

Deno.test("a file that is broken is set aside with one warning, and counting begins anew", async () => {
  const whole = JSON.stringify(new Counters().state());
  const broken: Readonly<Record<string, string>> = {
    "empty": "",
    "cut off": whole.slice(0, whole.length / 2),
    "no JSON": "\0".repeat(4096),
    "of another form": "[]",
    "of another version": JSON.stringify({ ...JSON.parse(whole), version: 99 }),
    "with a negative number": JSON.stringify({ ...JSON.parse(whole), version: 1 })
      .replace('"bytes":0', '"bytes":-1'),
    "of a time that no date has": JSON.stringify({
      ...JSON.parse(whole),
      version: 1,
      installed: Number.MAX_SAFE_INTEGER,
    }),
    "deeper than any": "[".repeat(200_000),
    "with too many hours": JSON.stringify({
      ...JSON.parse(whole),
      version: 1,
      hours: Array(25).fill({ start: 0, flows: JSON.parse(whole).total }),
    }),
    "huge": " ".repeat(300_000),
  };
  for (const [name, text] of Object.entries(broken)) {
    await inScratch(async (directory) => {
      const path = `${directory}/counters.json`;
      Deno.writeTextFileSync(path, text);
      const log = new KeptLog();
      assertEquals(await countIn(directory, log), 0, name);
      assertEquals(log.lines.length, 1, `${name}: ${log.lines}`);
      assertMatch(log.lines[0] ?? "", /counters\.json cannot be read .*: they restart at zero/);
      assertEquals(Deno.readTextFileSync(`${path}.broken`), text);
      assertEquals(await countIn(directory, log), 1000, name);
      assertEquals(log.lines.length, 1, "it was said again");
    });
  }
});

Deno.test("a directory in the place of the file, or none that can be made, is a warning", () =>
  inScratch(async (directory) => {
    Deno.mkdirSync(`${directory}/one/counters.json`, { recursive: true });
    const log = new KeptLog();
    assertEquals(await countIn(`${directory}/one`, log), 0);
    assertEquals(log.lines.length, 1);
    Deno.writeTextFileSync(`${directory}/file`, "");
    assertEquals(await countIn(`${directory}/file/state`, log), 0);
    assertMatch(log.lines[1] ?? "", /^the counters cannot be stored in .*: a part of the path/);
  }));

Deno.test("a pipe in the place of a file that is read or written makes nobody wait", async () => {
  const warnings = { "counters.json": 1, "counters.json.new": 0, "lock": 1 };
  for (const [name, count] of Object.entries(warnings)) {
    await inScratch(async (directory) => {
      shell(directory, `mkfifo ${name}`);
      const log = new KeptLog();
      assertEquals(await countIn(directory, log), 0, name);
      assertEquals(log.lines.length, count, `${name}: ${log.lines}`);
    });
  }
});

Deno.test({
  name: "a disk that is full costs no counters that were written, and is told of once",
  // Only root can make a disk that is full.
  ignore: Deno.uid() !== 0,
  fn: () =>
    inScratch(async (directory) => {
      shell(directory, "mkdir small && mount -t tmpfs -o size=16k tmpfs small");
      try {
        const small = `${directory}/small`;
        await countIn(small);
        shell(small, "dd if=/dev/zero of=filler bs=1k 2>/dev/null || true");
        const log = new KeptLog();
        const counters = await KeptCounters.open(small, log, 10);
        counters.add(peer);
        await until(() => log.lines.length > 0, "it is told of");
        counters.add(peer);
        // It writes once more.
        await counters.close();
        assertEquals(log.lines.length, 1);
        assertMatch(log.lines[0] ?? "", /^the counters cannot be written to .*counters\.json/);
        Deno.removeSync(`${small}/filler`);
        assertEquals(await countIn(small), 1000);
      } finally {
        shell(directory, "umount small");
      }
    }),
});

Deno.test("the counters of a server that runs are left alone by a second one, which says so", () =>
  inScratch(async (directory) => {
    const log = new KeptLog();
    const first = await KeptCounters.open(directory, log);
    first.add(peer);
    assertEquals(log.lines, []);
    const second = await KeptCounters.open(directory, log);
    assertEquals([first.isKept, second.isKept], [true, false]);
    assertMatch(
      log.lines.join(),
      /another pacserve uses the counters in .*: this one does not store its counters/,
    );
    second.add(flowsOf("received", "mirror", 5));
    await second.close();
    await first.close();
    const file = await CounterFile.open(directory, log);
    assertEquals((await file?.load())?.total.received, first.state().total.received);
    file?.close();
  }));
