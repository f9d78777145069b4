/** Controls the package's services in a container. */

import { eventually } from "../lan/process.ts";
import type { Container } from "./container.ts";

/** A firewall that drops all incoming packets except replies. */
export const DROP = `table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname "lo" accept
  }
}
`;

/** The package's services in one container. */
export class Services {
  readonly container: Container;

  constructor(container: Container) {
    this.container = container;
  }

  /** Runs systemctl, which must succeed. */
  systemctl(...words: readonly string[]): Promise<string> {
    return this.container.must(["systemctl", ...words]);
  }

  /** The state of a unit: `active`, `inactive`, `failed`… */
  async state(unit: string): Promise<string> {
    const { stdout } = await this.container.run(["systemctl", "is-active", unit]);
    return stdout.trim();
  }

  /** Waits until a unit is in a state. */
  async becomes(unit: string, state: string): Promise<void> {
    await eventually(`${unit} is ${state}`, async () => await this.state(unit) === state, 15_000)
      .catch(async (thrown: unknown) => {
        throw new Error(`${thrown}\n${await this.journal(unit)}`);
      });
  }

  /** The process id of the server. */
  async mainPid(): Promise<number> {
    return Number(await this.systemctl("show", "-P", "MainPID", "pacserve.service"));
  }

  /** All messages of a unit in the journal. */
  async journal(unit = "pacserve.service"): Promise<string> {
    await this.container.must(["journalctl", "--sync"]);
    return await this.container.must(["journalctl", "--unit", unit, "--output=cat"]);
  }

  /** The rules of the firewall. */
  async firewall(): Promise<string> {
    return await this.container.must(["nft", "-s", "list", "ruleset"]);
  }

  /** Sets the options of the server and the drop-in of its unit; empty for none. */
  async configure(options: string, dropIn = ""): Promise<void> {
    const path = "/etc/conf.d/pacserve";
    const text = await Deno.readTextFile(this.container.path(path));
    const assignment = `PACSERVE_ARGS="${options}"`;
    await this.container.write(path, text.replace(/^PACSERVE_ARGS=".*?"$/ms, () => assignment));
    await this.container.write(
      "/etc/systemd/system/pacserve.service.d/test.conf",
      `[Service]\n${dropIn}\n`,
    );
    await this.systemctl("daemon-reload");
  }

  /** Restarts the server, which must succeed. */
  async restart(): Promise<void> {
    await this.systemctl("restart", "pacserve.service");
  }

  /** Restarts the server, which must succeed; returns its warnings. */
  async warnings(): Promise<string> {
    const before = (await this.journal()).length;
    await this.restart();
    const said = (await this.journal()).slice(before);
    return said.split("\n").filter((line) => line.startsWith("warning: ")).join("\n");
  }

  /** Restarts the server, which must fail; returns its error message. */
  async failure(): Promise<string> {
    const before = (await this.journal()).length;
    const { code } = await this.container.run(["systemctl", "restart", "pacserve.service"]);
    const said = (await this.journal()).slice(before);
    if (code === 0) throw new Error(`it started:\n${said}`);
    return said.split("\n").find((line) => line.startsWith("pacserve: ")) ?? said;
  }

  /** Sends a request to the server in the container; returns the status and the body. */
  async get(...words: readonly string[]): Promise<{ status: number; body: string }> {
    const curl = ["curl", "--silent", "--max-time", "5", "--write-out", "\n%{http_code}"];
    const { stdout } = await this.container.run([...curl, ...words]);
    const end = stdout.lastIndexOf("\n");
    return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
  }
}
