/**
 * Gathers file checks: all questions to a peer at the same moment go in one message, and questions that
 * arise while that message is unanswered go in the next one. Therefore the number of messages depends on
 * the time, and not on the number of files.
 */

import { MAX_PATHS, MAX_PATHS_SIZE, sizeInMessage } from "./protocol.ts";
import type { Questions } from "./questions.ts";
import type { Peer } from "./registry.ts";

/** The longest time in milliseconds that a question waits for the answer to the previous message. */
const MAX_WAIT = 10;

/**
 * The time in milliseconds that the first question waits for others. pacman sends simultaneous requests
 * over several connections, and they arrive shortly after one another.
 */
const GATHERING = 1;

interface Question {
  readonly path: string;
  readonly answer: PromiseWithResolvers<boolean>;
}

interface Line {
  waiting: Question[];
  /** Number of messages that are not answered yet. */
  underWay: number;
  timer: ReturnType<typeof setTimeout> | null;
}

/** Asks peers if they have files. */
export class FileChecks {
  readonly #questions: Pick<Questions, "fileCheck">;
  readonly #lines = new Map<Peer, Line>();

  constructor(questions: Pick<Questions, "fileCheck">) {
    this.#questions = questions;
  }

  /** Returns true when the peer has the file. Rejects with a `PeerError` when there is no valid answer. */
  ask(peer: Peer, path: string): Promise<boolean> {
    const answer = Promise.withResolvers<boolean>();
    const line = this.#lines.getOrInsertComputed(
      peer,
      () => ({ waiting: [], underWay: 0, timer: null }),
    );
    line.waiting.push({ path, answer });
    if (line.waiting.length === 1) {
      const wait = line.underWay === 0 ? GATHERING : MAX_WAIT;
      line.timer = setTimeout(() => this.#flush(peer, line), wait);
    }
    return answer.promise;
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

/** Removes from the front the questions that fit in one message, and returns them. */
function takeMessage(waiting: Question[]): Question[] {
  let size = 0;
  const end = waiting.findIndex(({ path }, index) => {
    size += sizeInMessage(path);
    return index === MAX_PATHS || index > 0 && size > MAX_PATHS_SIZE;
  });
  return waiting.splice(0, end < 0 ? waiting.length : end);
}
