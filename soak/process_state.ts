/** The file descriptors and the memory of a process (proc(5)). */

/** Open file descriptors by kind. */
export interface Descriptors {
  /** Paths of the regular files. */
  readonly files: readonly string[];
  readonly sockets: number;
  /** Everything else: pipes, timers, watches… */
  readonly others: number;
}

/** The file descriptors of a process. */
export async function descriptorsOf(pid: number): Promise<Descriptors> {
  const files: string[] = [];
  let sockets = 0;
  let others = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    try {
      const target = await Deno.readLink(`/proc/${pid}/fd/${name}`);
      if (target.startsWith("socket:")) sockets++;
      else if (target.startsWith("/") && !target.startsWith("/dev/")) files.push(target);
      else others++;
    } catch (error) {
      // The file was closed after the directory was listed.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return { files, sockets, others };
}

/** Resident memory of a process in bytes, without the pages of files that it maps. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
