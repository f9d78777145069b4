/**
 * Runs avahi-daemon and systemd-resolved on hosts of a test. Nothing is installed on this machine: if a
 * program is missing, packages of Debian are unpacked into a temporary directory.
 */

import type { Host } from "../lan/host.ts";
import { must, type RunningProgram } from "../lan/process.ts";
import { lastingScratch } from "../scratch.ts";

const PACKAGES = [
  ...["avahi-daemon", "avahi-utils", "libavahi-client3", "libavahi-common3", "libavahi-core7"],
  ...["libdaemon0", "systemd-resolved"],
];

/** The directory before `/usr` in the paths of the programs. */
let unpacked: Promise<string> | null = null;

async function unpack(): Promise<string> {
  const there = ["/usr/bin/avahi-daemon", "/usr/lib/systemd/systemd-resolved"];
  if ((await Promise.all(there.map(exists))).every((each) => each)) return "";
  const directory = lastingScratch();
  const script = `set -e
    apt-get download -o APT::Sandbox::User=root "$@" > /dev/null
    for package in *.deb; do dpkg -x "$package" root; done`;
  await must(["bash", "-c", script, "bash", ...PACKAGES], { directory, deadline: 120_000 });
  return `${directory}/root`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** The daemons of multicast DNS on one host, with a private system bus. */
export class Daemons implements AsyncDisposable {
  readonly #host: Host;
  readonly #root: string;
  /** The distribution in the announced services. */
  readonly #id: string;
  readonly #programs: RunningProgram[] = [];

  private constructor(host: Host, root: string, id: string) {
    this.#host = host;
    this.#root = root;
    this.#id = id;
  }

  /**
   * Prepares a host, on which only the bus runs at first.
   *
   * @param id the distribution of the services that are announced.
   */
  static async on(host: Host, id = "arch"): Promise<Daemons> {
    unpacked ??= unpack();
    const daemons = new Daemons(host, await unpacked, id);
    await daemons.#prepare();
    return daemons;
  }

  async #prepare(): Promise<void> {
    const script = `set -e
      mount -t tmpfs tmpfs /run
      mkdir -p /run/dbus /run/avahi-daemon /run/systemd/resolve /run/systemd/netif/links
      for user in avahi:65531 systemd-resolve:65532; do
        grep -q "^\${user%:*}:" /etc/passwd ||
          echo "\${user%:*}:x:\${user#*:}:\${user#*:}::/:/bin/false" >> /etc/passwd
        grep -q "^\${user%:*}:" /etc/group || echo "\${user%:*}:x:\${user#*:}:" >> /etc/group
      done
      chown systemd-resolve:systemd-resolve /run/systemd/resolve
      if [ -n "$1" ]; then cp -r "$1"/etc/. /etc; cp -r "$1"/usr/share/dbus-1/. /usr/share/dbus-1; fi
      rm -f /etc/avahi/services/*`;
    await this.#host.must(["bash", "-c", script, "bash", this.#root]);
    const bus = this.#start(["dbus-daemon", "--system", "--nofork", "--print-address"]);
    await bus.line(/^unix:/);
  }

  /**
   * Starts avahi-daemon.
   *
   * @param settings lines of the `[server]` section of its configuration.
   * @param port of a service as pacredir's that it announces; none by default.
   */
  async avahi(settings: string, port?: number): Promise<RunningProgram> {
    await this.#host.write("/etc/avahi/avahi-daemon.conf", `[server]\n${settings}\n`);
    if (port !== undefined) {
      await this.#host.write(
        "/etc/avahi/services/pacredir.service",
        `<service-group><name replace-wildcards="yes">pacredir on %h</name><service>
          <type>_pacserve._tcp</type><port>${port}</port>
          <txt-record>id=${this.#id}</txt-record><txt-record>arch=x86_64</txt-record>
        </service></service-group>`,
      );
    }
    const program = await this.#place("avahi-daemon");
    const avahi = this.#start([program, "--no-drop-root", "--no-chroot", "--debug"]);
    await avahi.line(/^Server startup complete/);
    return avahi;
  }

  /**
   * Starts systemd-resolved with multicast DNS on `eth0`.
   *
   * @param port of a service as pacredir's that it announces; none by default.
   */
  async resolved(port?: number): Promise<RunningProgram> {
    const [link] = JSON.parse(await this.#host.must(["ip", "-j", "link", "show", "eth0"]));
    await this.#host.write(
      "/etc/systemd/resolved.conf",
      "[Resolve]\nMulticastDNS=yes\nLLMNR=no\nDNSStubListener=no\n",
    );
    // systemd-networkd would write this for a network with `MulticastDNS=yes`.
    await this.#host.write(
      `/run/systemd/netif/links/${link.ifindex}`,
      "ADMIN_STATE=configured\nOPER_STATE=routable\nMDNS=yes\n",
    );
    if (port !== undefined) {
      await this.#host.write(
        "/etc/systemd/dnssd/pacserve.dnssd",
        "[Service]\nName=pacserve on %H\nType=_pacserve._tcp\n" +
          `Port=${port}\nTxtText=id=${this.#id} arch=x86_64\n`,
      );
    }
    const resolved = this.#start([await this.#place("systemd-resolved")], {
      SYSTEMD_LOG_LEVEL: "debug",
    });
    await resolved.line(/New scope on link eth0, protocol mdns, family AF_INET\b/);
    return resolved;
  }

  /** Returns the services that avahi-daemon finds, each in the form of avahi-browse. */
  async avahiBrowse(): Promise<string[]> {
    const program = await this.#place("avahi-browse");
    return (await this.#host.must(this.#words([program, "-rpt", "_pacserve._tcp"]))).split("\n");
  }

  /** Returns a service that systemd-resolved finds, by the name of its instance. */
  async resolvectl(instance: string): Promise<string> {
    const program = await this.#place("resolvectl");
    const words = ["service", instance, "_pacserve._tcp", "local"];
    return (await this.#host.run(this.#words([program, ...words]))).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) await program[Symbol.asyncDispose]();
  }

  async #place(program: string): Promise<string> {
    for (const directory of ["usr/bin", "usr/sbin", "usr/lib/systemd", "lib/systemd"]) {
      const path = `${this.#root}/${directory}/${program}`;
      if (await exists(path)) return path;
    }
    throw new Error(`there is no ${program}`);
  }

  /** Returns a command with which a program finds the libraries from its package. */
  #words(command: readonly string[], environment: Record<string, string> = {}): string[] {
    const libraries = ["x86_64", "aarch64"].map((cpu) => `${this.#root}/usr/lib/${cpu}-linux-gnu`);
    const all = this.#root === ""
      ? environment
      : { LD_LIBRARY_PATH: libraries.join(":"), ...environment };
    return ["env", ...Object.entries(all).map(([name, value]) => `${name}=${value}`), ...command];
  }

  #start(command: readonly string[], environment: Record<string, string> = {}): RunningProgram {
    const program = this.#host.spawn(this.#words(command, environment));
    this.#programs.push(program);
    return program;
  }
}
