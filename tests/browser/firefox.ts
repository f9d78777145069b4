/**
 * Controls Firefox with WebDriver BiDi (https://w3c.github.io/webdriver-bidi/). The Firefox of Debian does not
 * support all commands that playwright-core sends.
 */

import { removeTree, RunningProgram } from "../lan/process.ts";
import { Scratch } from "../scratch.ts";

interface Answer {
  readonly id?: number;
  readonly type?: string;
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
}

/** The operations on a tab that the tests of files need, in any browser. */
export interface Tab {
  /** Opens a URL, and waits until it is loaded. */
  open(url: string): Promise<void>;
  /** Returns the value of an expression in the page, which has to be a string or a promise of one. */
  evaluate(expression: string): Promise<string>;
  /** Returns a screenshot of the page: a PNG file in base64. */
  screenshot(): Promise<string>;
}

/** A Firefox process. */
export class Firefox implements AsyncDisposable {
  readonly #program: RunningProgram;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  private constructor(program: RunningProgram, profile: string, socket: WebSocket) {
    this.#program = program;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }): void => this.#take(JSON.parse(String(data)));
  }

  /** Starts Firefox with a fresh profile. */
  static async start(): Promise<Firefox> {
    const profile = new Scratch().directory;
    // Allow autoplay, because no user can permit it in a test.
    await Deno.writeTextFile(`${profile}/user.js`, 'user_pref("media.autoplay.default", 0);\n');
    const program = new RunningProgram([
      ...["firefox", "--headless", "--no-remote", "--remote-debugging-port=0"],
      ...["--profile", profile, "about:blank"],
    ], { environment: { HOME: profile, MOZ_DISABLE_CONTENT_SANDBOX: "1" } });
    const line = await program.line(/WebDriver BiDi listening on ws:/, 0, 60_000);
    const [address = ""] = /ws:\S+/.exec(line) ?? [];
    const socket = new WebSocket(`${address}/session`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const firefox = new Firefox(program, profile, socket);
    await firefox.#send("session.new", { capabilities: {} });
    return firefox;
  }

  /** Opens a tab. */
  async tab(): Promise<Tab> {
    const made = await this.#send("browsingContext.create", { type: "tab" });
    const { context } = made as { context: string };
    return {
      open: async (url) => {
        await this.#send("browsingContext.navigate", { context, url, wait: "complete" });
      },
      evaluate: async (expression) => {
        const params = { expression, target: { context }, awaitPromise: true };
        const { result, exceptionDetails } = await this.#send("script.evaluate", params) as {
          result?: { value?: string };
          exceptionDetails?: { text: string };
        };
        if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
        return result?.value ?? "";
      },
      screenshot: async () => {
        const taken = await this.#send("browsingContext.captureScreenshot", { context });
        return (taken as { data: string }).data;
      },
    };
  }

  #send(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return waiting.promise;
  }

  #take({ id, type, result, error, message }: Answer): void {
    const waiting = this.#waiting.get(id ?? -1);
    this.#waiting.delete(id ?? -1);
    if (type === "error") waiting?.reject(new Error(`${error}: ${message}`));
    else waiting?.resolve(result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#program.stop();
    await removeTree(this.#profile);
  }
}
