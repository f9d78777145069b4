/** Inputs that are kept: each target tries those of its file first. */

/** Where the files are. */
const DIRECTORY = new URL("./corpus/", import.meta.url);

/** The inputs that are kept for a target. */
export async function readCorpus(name: string): Promise<unknown[]> {
  try {
    const inputs: unknown = JSON.parse(await Deno.readTextFile(fileOf(name)));
    if (Array.isArray(inputs)) return inputs;
    throw new Error(`${fileOf(name).pathname} is no list`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Keeps an input for every later run. */
export async function addToCorpus(name: string, input: unknown): Promise<void> {
  const kept = await readCorpus(name);
  const text = JSON.stringify(input);
  if (kept.some((one) => JSON.stringify(one) === text)) return;
  await Deno.writeTextFile(fileOf(name), JSON.stringify([...kept, input], null, 2) + "\n");
}

function fileOf(name: string): URL {
  return new URL(`${name}.json`, DIRECTORY);
}
