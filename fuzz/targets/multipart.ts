/** Bodies of uploads: stored files equal the sent ones, and nothing is left of broken uploads. */

import fc from "fast-check";
import type { Reply } from "../../src/http/exchange.ts";
import { parseTarget } from "../../src/http/target.ts";
import { uploadNameProblem } from "../../src/quickserve/uploads/names.ts";
import { UploadPlaces } from "../../src/quickserve/uploads/places.ts";
import { Uploads } from "../../src/quickserve/uploads/uploads.ts";
import { assert, assertEquals } from "../../tests/assert.ts";
import { makeRequest } from "../../tests/request.ts";
import {
  CONTENT_TYPE,
  fieldPart,
  filePart,
  formOf,
} from "../../tests/unit/quickserve/uploads/form_body.ts";
import { wordText } from "../bytes.ts";
import { targetWith } from "../target.ts";

const content = wordText(["\r\n", "--", "--frontie", "-", "\0", "é", "x".repeat(70)], 12)
  .map((text) => text.replaceAll("--frontier", "--other").toWellFormed());
const name = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9._+-]{1,12}$/),
  fc.constantFrom(
    "..",
    ".",
    "../up",
    "/etc/passwd",
    "a\\b",
    ".hidden",
    "",
    "a%00",
    "é".repeat(130),
  ),
);
const part = fc.oneof(
  fc.record({ name, content }).map((file) => ({ ...file, file: true })),
  fc.record({ name: fc.constantFrom("note", "__proto__"), content }).map((field) => ({
    ...field,
    file: false,
  })),
);

const input = fc.record({
  parts: fc.array(part, { maxLength: 5 }),
  /** Size of a chunk in bytes. */
  pace: fc.integer({ min: 1, max: 300 }),
  /** The part of the body (0 to 1) that arrives before the client goes away. */
  arrives: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
  /** A body that is sent instead of the form; null for none. */
  garbage: fc.option(wordText([
    "--frontier",
    "--",
    "\r\n",
    "\r\n\r\n",
    "Content-Disposition: form-data; ",
    'filename="a"; ',
    'name="',
    "filename*=UTF-8''%2e%2e%2fup",
    "Content-Transfer-Encoding: base64",
    "Content-Type: multipart/mixed; boundary=inner",
  ])),
});

/** A directory that contains the upload directory, and a file that no upload may change. */
interface Place {
  readonly top: string;
  readonly directory: string;
}

const place = {
  async open(): Promise<Place> {
    const top = await Deno.makeTempDir({ prefix: "pacserve-fuzz-" });
    await Deno.writeTextFile(`${top}/up`, "beside");
    await Deno.mkdir(`${top}/uploads`);
    return { top, directory: `${top}/uploads` };
  },
  close: ({ top }: Place): Promise<void> => Deno.remove(top, { recursive: true }),
};

/** Complete forms are stored exactly, and broken or malformed ones leave no wrong file. */
export const multipart = targetWith(
  "multipart",
  place,
  input,
  async (input, { top, directory }) => {
    const uploads = new Uploads({
      configuration: { directory, allowOverwrite: false, maximumSize: null },
      places: new UploadPlaces(directory, [], { lookup: () => null }),
      showHidden: false,
      pages: { uploadResult: () => "" },
      log: {
        warn: (message) => {
          throw new Error(message);
        },
      },
    });
    try {
      const form = input.garbage ??
        formOf(
          ...input.parts.map(({ name, content, file }) =>
            file ? filePart(name, content) : fieldPart(name, content)
          ),
        );
      const bytes = new TextEncoder().encode(form);
      const reply = await send(
        uploads,
        bytes,
        input.pace,
        Math.floor(bytes.length * input.arrives),
      );
      assert(
        reply.status === 201 || (reply.status >= 400 && reply.status < 500),
        `${reply.status}`,
      );
      const stored = await storedIn(directory);
      for (const text of stored.values()) {
        if (input.garbage !== null) continue;
        const files = input.parts.filter(({ file }) => file);
        assert(files.some(({ content }) => content === text), "a file that nobody sent");
      }
      if (input.garbage === null && input.arrives === 1) {
        const good = input.parts.filter(({ name, file }) =>
          file && uploadNameProblem(name, false) === null
        );
        assertEquals([...stored.values()].sort(), good.map(({ content }) => content).sort());
      }
      assertEquals(await Deno.readTextFile(`${top}/up`), "beside");
      assertEquals([...Deno.readDirSync(top)].length, 2);
    } finally {
      for (const { name } of [...Deno.readDirSync(directory)]) {
        await Deno.remove(
          `${directory}/${name}`,
        );
      }
    }
  },
);

async function send(
  uploads: Uploads,
  bytes: Uint8Array,
  pace: number,
  arriving: number,
): Promise<Reply> {
  const chunks = function* (): Generator<Uint8Array> {
    for (let at = 0; at < arriving; at += pace) {
      yield bytes.slice(at, Math.min(at + pace, arriving));
    }
    if (arriving < bytes.length) throw new Error("the client went away");
  };
  const target = parseTarget("/");
  assert(target !== null);
  const headers = { "content-type": CONTENT_TYPE };
  return await uploads.receive(target, makeRequest({ method: "POST", headers, body: chunks() }));
}

async function storedIn(directory: string): Promise<Map<string, string>> {
  const stored = new Map<string, string>();
  for (const { name, isFile } of [...Deno.readDirSync(directory)]) {
    assert(isFile && !name.startsWith("."), `left behind: ${name}`);
    stored.set(name, await Deno.readTextFile(`${directory}/${name}`));
  }
  return stored;
}
