/** The corpus: stored inputs, in a file for each target, which the target tries first. */

/** The directory of the files. */
const DIRECTORY = new URL("./corpus/", import.meta.url);

/** The stored inputs of a target. */
export async function readCorpus(name: string): Promise<unknown[]> {
  try {
    const inputs: unknown = JSON.parse(await Deno.readTextFile(fileOf(name)));
    if (Array.isArray(inputs)) return inputs;
    throw new Error(`${fileOf(name).pathname} is not a JSON array`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Stores an input, so that every later run tries it. */
export async function addToCorpus(name: string, input: unknown): Promise<void> {
  const kept = await readCorpus(name);
  const text = JSON.stringify(input);
  if (kept.some((one) => JSON.stringify(one) === text)) return;
  await Deno.writeTextFile(fileOf(name), JSON.stringify([...kept, input], null, 2) + "\n");
}

function fileOf(name: string): URL {
  return new URL(`${name}.json`, DIRECTORY);
}
