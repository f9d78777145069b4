import { assert, assertEquals } from "../../../assert.ts";
import { storeUpload } from "../../../../src/quickserve/uploads/store.ts";
import { sweepUploads } from "../../../../src/quickserve/uploads/temporary.ts";
import { isUploadTemporary, temporaryName } from "../../../../src/quickserve/uploads/temporary.ts";
import { inScratch, writeFiles } from "../../../scratch.ts";

Deno.test("sweepUploads: removes only the unfinished uploads of a killed server", () =>
  inScratch(async (directory) => {
    const left = temporaryName();
    const directoryName = temporaryName();
    writeFiles(directory, { [left]: "half", "a.part": "kept", ".pacserve-upload-x.part": "kept" });
    Deno.mkdirSync(`${directory}/${directoryName}`);
    assertEquals(await sweepUploads(directory), 1);
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assertEquals(names, [".pacserve-upload-x.part", "a.part", directoryName].sort());
  }));

Deno.test("sweepUploads: does not remove the uploads of another running server", () =>
  inScratch(async (directory) => {
    const configuration = { directory, allowOverwrite: false, maximumSize: null };
    let swept = -1;
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array([65]);
      assert([...Deno.readDirSync(directory)].every(({ name }) => isUploadTemporary(name)));
      swept = await sweepUploads(directory);
      yield new Uint8Array([66]);
    }
    await storeUpload(configuration, directory, "a", body());
    assertEquals(swept, 0);
    assertEquals(Deno.readTextFileSync(`${directory}/a`), "AB");
  }));

Deno.test("sweepUploads: simultaneous sweeps and uploads lose no upload", () =>
  inScratch(async (directory) => {
    const configuration = { directory, allowOverwrite: false, maximumSize: null };
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array([65]);
      await sweepUploads(directory);
    }
    const uploads = Array.from(
      { length: 30 },
      () => storeUpload(configuration, directory, "a", body()),
    );
    const sweeps = Array.from({ length: 30 }, () => sweepUploads(directory));
    await Promise.all([...uploads, ...sweeps]);
    assertEquals([...Deno.readDirSync(directory)].length, 30);
  }));
