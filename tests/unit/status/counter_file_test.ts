/** Counters on disk: they survive a restart, and a broken file never prevents a start. */

import { CounterFile } from "../../../src/status/counter_file.ts";
import { Counters } from "../../../src/status/counters.ts";
import { KeptCounters } from "../../../src/status/kept_counters.ts";
import { assertEquals, assertMatch } from "../../assert.ts";
import { until } from "../../listening.ts";
import { KeptLog } from "../../log.ts";
import { inScratch, shell } from "../../scratch.ts";
import { flowsOf } from "./flows.ts";

const peer = flowsOf("received", "peer", 1000);

/** Opens the counters of a directory, counts, and closes them; returns the sum before that. */
async function countIn(directory: string, log = new KeptLog()): Promise<number> {
  const counters = await KeptCounters.open(directory, log);
  const before = counters.state().total.received.peer.bytes;
  counters.add(peer);
  await counters.close();
  return before;
}

Deno.test("KeptCounters: counts survive a restart, and a missing directory is created", () =>
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

Deno.test("KeptCounters: a crash loses only the counts since the last write", () =>
  inScratch(async (directory) => {
    const path = `${directory}/counters.json`;
    const counters = await KeptCounters.open(directory, new KeptLog(), 50);
    const empty = Deno.readTextFileSync(path);
    counters.add(peer);
    // It is not written at once: many counts are saved in one write.
    assertEquals(Deno.readTextFileSync(path), empty);
    await until(() => Deno.readTextFileSync(path).includes('"bytes":1000'), "it is written");
    assertEquals([...Deno.readDirSync(directory)].length, 2);
    await counters.close();
  }));

Deno.test("KeptCounters: a broken file is renamed with one warning, and counts restart at zero", async () => {
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

Deno.test("KeptCounters: warns when the file is a directory or its directory cannot be created", () =>
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
  name: "KeptCounters: a full disk loses no stored counts, and is logged once",
  // Only root can mount a full disk.
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
        await until(() => log.lines.length > 0, "it is logged");
        counters.add(peer);
        // Closing writes once more.
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

Deno.test("KeptCounters: a second server does not use the file of a running one, and warns", () =>
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
