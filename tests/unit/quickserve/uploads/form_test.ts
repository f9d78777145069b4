import fc from "fast-check";
import { readForm } from "../../../../src/quickserve/uploads/form.ts";
import { assertEquals } from "../../../assert.ts";
import { CONTENT_TYPE, filePart, formOf, pieces } from "./form_body.ts";

/** Generates text that often looks like a boundary. */
const tricky = fc.array(
  fc.constantFrom("\r\n", "\r", "\n", "--", "--frontier", "\r\n--front", "x", "y".repeat(40)),
  { maxLength: 15 },
).map((parts) => parts.join("")).filter((text) => !`\r\n${text}`.includes("\r\n--frontier"));

async function* fromArray(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

Deno.test("readForm: files arrive unchanged, with any content and any chunk sizes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(tricky, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(1, 2, 5, 11, 64, 1000, 100_000),
      fc.boolean(),
      async (contents, size, isSlow) => {
        const form = formOf(...contents.map((content, index) => filePart(`f${index}`, content)));
        const got: string[] = [];
        await readForm(CONTENT_TYPE, fromArray(pieces(form, size)), async (_name, chunks) => {
          let text = "";
          for await (const chunk of chunks) {
            if (isSlow) await new Promise((resolve) => queueMicrotask(() => resolve(null)));
            text += new TextDecoder().decode(chunk);
          }
          got.push(text);
        }, () => 0);
        assertEquals(got, contents);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("readForm: an unread file does not block the next one", async () => {
  const form = formOf(filePart("a", "x".repeat(500_000)), filePart("b", "second"));
  const got: string[] = [];
  await readForm(CONTENT_TYPE, fromArray(pieces(form, 65_536)), async (name, chunks) => {
    for await (const chunk of chunks) {
      got.push(`${name} ${chunk.length > 0}`);
      break;
    }
  }, () => 0);
  assertEquals(got, ["a true", "b true"]);
});
