/**
 * File checks, gathered: what is asked of a peer in the same moment goes in one message, and what is
 * asked while a message is on its way goes in the next. So the number of messages depends on time, not
 * on the number of files.
 */

import { MAX_PATHS, MAX_PATHS_SIZE, sizeInMessage } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import type { Peer } from "./registry.ts";

/** The longest, in milliseconds, that a question waits for the message before it to come back. */
const MAX_WAIT = 10;

/**
 * How long, in milliseconds, the first question waits for others: what pacman asks for together comes
 * over several connections, one shortly after the other.
 */
const GATHERING = 1;

interface Question {
  readonly path: string;
  readonly answer: PromiseWithResolvers<boolean>;
}

interface Line {
  waiting: Question[];
  /** Messages on their way. */
  underWay: number;
  timer: ReturnType<typeof setTimeout> | null;
}

/** Asks peers whether they have files. */
export class FileChecks {
  readonly #questions: Pick<Questions, "fileCheck">;
  readonly #lines = new Map<Peer, Line>();

  constructor(questions: Pick<Questions, "fileCheck">) {
    this.#questions = questions;
  }

  /** Whether the peer has the file. Rejects with a `PeerError` when there is no proper answer. */
  ask(peer: Peer, path: string): Promise<boolean> {
    const answer = Promise.withResolvers<boolean>();
    const line = this.#lineOf(peer);
    line.waiting.push({ path, answer });
    if (line.waiting.length === 1) {
      const wait = line.underWay === 0 ? GATHERING : MAX_WAIT;
      line.timer = setTimeout(() => this.#flush(peer, line), wait);
    }
    return answer.promise;
  }

  #lineOf(peer: Peer): Line {
    const line = this.#lines.get(peer) ?? { waiting: [], underWay: 0, timer: null };
    this.#lines.set(peer, line);
    return line;
  }

  #flush(peer: Peer, line: Line): void {
    if (line.timer !== null) clearTimeout(line.timer);
    line.timer = null;
    while (line.waiting.length > 0) {
      this.#sendOne(peer, line, takeMessage(line.waiting));
    }
  }

  #sendOne(peer: Peer, line: Line, questions: readonly Question[]): void {
    line.underWay++;
    const paths = [...new Set(questions.map(({ path }) => path))];
    this.#questions.fileCheck(peer, paths).then(
      (found) => questions.forEach(({ path, answer }) => answer.resolve(found.has(path))),
      (error) => questions.forEach(({ answer }) => answer.reject(error)),
    ).finally(() => {
      line.underWay--;
      if (line.underWay > 0) return;
      if (line.waiting.length > 0) this.#flush(peer, line);
      else this.#lines.delete(peer);
    });
  }
}

/** Takes from the front the questions that go in one message. */
function takeMessage(waiting: Question[]): Question[] {
  let size = 0;
  const end = waiting.findIndex(({ path }, index) => {
    size += sizeInMessage(path);
    return index === MAX_PATHS || index > 0 && size > MAX_PATHS_SIZE;
  });
  return waiting.splice(0, end < 0 ? waiting.length : end);
}
