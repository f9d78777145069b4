/** A host with a firewall and a second host that tries to reach it: two connected network namespaces. */

import { join } from "node:path";
import { launchedCommands } from "../../scripts/build/commands.ts";
import { Scratch } from "../scratch.ts";

/** The result of a command. */
export interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

const HERE = import.meta.dirname ?? ".";
const PROGRAM = join(HERE, "../../src/main.ts");
const PERMISSIONS =
  launchedCommands().find(({ name }) => name === "pacserve-ports")?.permissions.join(" ") ?? "";
const ECHO = join(HERE, "echo.ts");
const CONFIGURATION = "/run/test/pacserve";
const GUARDED = { 4: "10.93.7.1", 6: "fd93:7::1" } as const;

/** Rules for the ports of `echo.ts`, and for IGMP. */
export const RULES = 'PACSERVE_FIREWALL="auto"\n' +
  'PACSERVE_RULE_1="tcp 15678 from 10.0.0.0/8 fc00::/7"\n' +
  'PACSERVE_RULE_2="udp 15679 from 10.0.0.0/8 fc00::/7"\n' +
  'PACSERVE_RULE_3="igmp"\n';

/** The two hosts. The guarded host has its own `/run`, and its own files of the firewalls in `/etc`. */
export class GuardedHost implements AsyncDisposable {
  readonly #scratch = new Scratch();
  readonly #directory = this.#scratch.directory;
  readonly #name = `pacports-${crypto.randomUUID().slice(0, 6)}`;
  readonly #children: Deno.ChildProcess[] = [];
  #mounts = "";

  /** Creates the hosts, and starts the echo server in the guarded one. */
  static async create(): Promise<GuardedHost> {
    const host = new GuardedHost();
    try {
      await host.#build();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #build(): Promise<void> {
    for (const directory of ["run/test", "run/dbus", "run/lock"]) {
      await Deno.mkdir(join(this.#directory, directory), { recursive: true });
    }
    const [guarded, other] = [`${this.#name}a`, `${this.#name}b`];
    await must(sh(`
      cp -a /etc/ufw /etc/firewalld ${this.#directory} 2>/dev/null
      ip netns add ${guarded} && ip netns add ${other}
      ip -n ${guarded} link add eth0 type veth peer name eth0 netns ${other}
      for one in ${guarded}:1 ${other}:2; do
        ip -n \${one%:*} link set lo up
        ip -n \${one%:*} address add 10.93.7.\${one#*:}/24 dev eth0
        ip -n \${one%:*} address add fd93:7::\${one#*:}/64 dev eth0 nodad
        ip -n \${one%:*} link set eth0 up
      done`));
    const echo = this.spawn(`exec ${Deno.execPath()} run -A ${ECHO}`);
    await firstLine(echo);
  }

  /** Starts a command in the guarded host; it is terminated with the host. */
  spawn(script: string): Deno.ChildProcess {
    const child = this.#command(script, "piped").spawn();
    this.#children.push(child);
    return child;
  }

  /** Runs a command in the guarded host. */
  async run(script: string): Promise<Outcome> {
    return await outcome(this.#command(script, "null"));
  }

  /** Runs a command in the guarded host that must succeed; returns what it prints. */
  async must(script: string): Promise<string> {
    return await must(this.#command(script, "null"));
  }

  #command(script: string, stdin: "piped" | "null"): Deno.Command {
    const places = `mount --bind ${this.#directory}/run /run
      for name in ufw firewalld; do
        [ -d ${this.#directory}/$name ] && mount --bind ${this.#directory}/$name /etc/$name
      done
      ${this.#mounts}
      `;
    return new Deno.Command("ip", {
      args: ["netns", "exec", `${this.#name}a`, "sh", "-c", places + script],
      stdin,
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Replaces a program of the guarded host by a script that prints `complaint` and fails. */
  async spoil(program: string, complaint: string): Promise<void> {
    const spoilt = join(this.#directory, program);
    await Deno.writeTextFile(spoilt, `#!/bin/sh\necho '${complaint}' >&2\nexit 1\n`);
    await Deno.chmod(spoilt, 0o755);
    this.#mounts += `mount --bind ${spoilt} "$(readlink -f /usr/sbin/${program})"\n`;
  }

  /** Runs `pacserve-ports` in the guarded host. */
  async ports(action: string): Promise<Outcome> {
    return await this.run(
      `exec ${Deno.execPath()} run ${PERMISSIONS} ${PROGRAM} pacserve-ports ${action} --config ${CONFIGURATION}`,
    );
  }

  /** Writes the file that `pacserve-ports` reads instead of `/etc/conf.d/pacserve`. */
  async configure(text: string): Promise<void> {
    await Deno.writeTextFile(join(this.#directory, "run/test/pacserve"), text);
  }

  /** Those of `tcp4`, `tcp6`, `udp4` and `udp6` by which the second host reaches the guarded one. */
  async reachable(): Promise<string[]> {
    const tries = ([4, 6] as const).flatMap((family) =>
      (["tcp", "udp"] as const).map(async (protocol) => {
        const port = protocol === "tcp" ? 15678 : 15679;
        const redirect = `/dev/${protocol}/${GUARDED[family]}/${port}`;
        const { output } = await outcome(
          new Deno.Command("ip", {
            args: ["netns", "exec", `${this.#name}b`, "timeout", "1", "bash", "-c"].concat(
              `exec 3<>${redirect} && echo hello >&3 && head -n 1 <&3`,
            ),
            stdin: "null",
            stdout: "piped",
            stderr: "piped",
          }),
        );
        return output.startsWith("hello") ? [`${protocol}${family}`] : [];
      })
    );
    return (await Promise.all(tries)).flat().sort();
  }

  /** All rules of all firewalls, without packet counters. */
  async rules(): Promise<string> {
    return await this.must(`
      nft -s list ruleset 2>/dev/null | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'
      iptables-legacy-save 2>/dev/null | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'
      ip6tables-legacy-save 2>/dev/null | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.reverse()) {
      try {
        child.kill("SIGTERM");
      } catch {
        // The process has ended already.
      }
      if (!child.stdin.locked) await child.stdin.close().catch(() => {});
      await child.status;
      await Promise.all([child.stdout, child.stderr].map((stream) => stream.cancel()));
    }
    await sh(`ip netns delete ${this.#name}a; ip netns delete ${this.#name}b`).output();
    this.#scratch[Symbol.dispose]();
  }
}

/** True when all of these programs are installed and this is root. */
export function canTest(...programs: readonly string[]): boolean {
  const found = programs.every((program) =>
    ["/usr/sbin/", "/usr/bin/"].some((directory) => {
      try {
        return Deno.statSync(directory + program).isFile;
      } catch {
        return false;
      }
    })
  );
  return Deno.uid() === 0 && found;
}

function sh(script: string): Deno.Command {
  return new Deno.Command("sh", { args: ["-c", script], stdin: "null" });
}

async function outcome(command: Deno.Command): Promise<Outcome> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { status: code, output: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

async function must(command: Deno.Command): Promise<string> {
  const { status, output, errors } = await outcome(command);
  if (status !== 0) throw new Error(`exit ${status}: ${errors}${output}`);
  return output;
}

async function firstLine(child: Deno.ChildProcess): Promise<void> {
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  reader.releaseLock();
  if (done) throw new Error("the echo did not start");
}
