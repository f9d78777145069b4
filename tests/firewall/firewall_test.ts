/** Tests `pacserve-ports` with real firewalls and real packets. Needs root. */

import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "../assert.ts";
import { canTest, GuardedHost, RULES } from "./guarded_host.ts";

const ALL = ["tcp4", "tcp6", "udp4", "udp6"];

/** A firewall that drops all packets to pacserve. */
interface Firewall {
  readonly name: string;
  readonly programs: readonly string[];
  /** Turns it on, with a few accepting rules of the user. */
  readonly start: (host: GuardedHost) => Promise<void>;
  /** A command that restores its own rules, as its service does on a reload. */
  readonly reload: string;
  /** Matches the chains in the output of `pacserve-ports open`. */
  readonly places: RegExp;
}

function iptables(variant: "nft" | "legacy"): Firewall {
  const [four, six] = [`iptables-${variant}`, `ip6tables-${variant}`];
  const rules = `
    ${four} -F && ${four} -P INPUT DROP && ${four} -A INPUT -i lo -j ACCEPT &&
    ${six} -F && ${six} -P INPUT DROP && ${six} -A INPUT -p icmpv6 -j ACCEPT &&
    ${six} -A INPUT -p tcp --dport 22 -m comment --comment mine -j ACCEPT`;
  return {
    name: `iptables-${variant}`,
    programs: [four, six],
    start: async (host) => void await host.must(rules),
    reload: rules,
    places: new RegExp(`${four}, ${six}: `),
  };
}

const NFT_RULES = `nft -f - <<'END'
    flush ruleset
    table inet filter {
      map verdicts { type ipv6_addr : verdict; elements = { fd93:7::99 : drop } }
      chain input {
        type filter hook input priority filter; policy drop;
        iif lo accept comment "pacserve-ports is not mine"
        meta l4proto icmpv6 accept
      }
      chain early { type filter hook input priority -10; jump strangers; };
      chain strangers { ip6 saddr vmap @verdicts; tcp dport 15678 reject; };
      chain watching { type filter hook input priority 10; counter accept; };
    }
    table ip older { chain input { type filter hook input priority 5; udp dport 15679 drop; }; }
END`;

const FIREWALLS: readonly Firewall[] = [
  iptables("nft"),
  iptables("legacy"),
  {
    name: "nftables",
    programs: ["nft"],
    start: async (host) => void await host.must(NFT_RULES),
    reload: NFT_RULES,
    places: /inet filter input, nftables chain inet filter early, nftables chain ip older input: /,
  },
  {
    name: "ufw",
    programs: ["ufw"],
    start: async (host) => {
      await host.must("ufw --force enable && ufw allow 22/tcp");
    },
    reload: "ufw reload",
    places: /iptables-nft, ip6tables-nft: /,
  },
  {
    name: "firewalld",
    programs: ["firewalld", "firewall-cmd", "dbus-daemon"],
    start: async (host) => {
      host.spawn("exec dbus-daemon --system --nofork --nopidfile");
      await host.must("timeout 10 sh -c 'until [ -S /run/dbus/system_bus_socket ]; do :; done'");
      host.spawn("exec firewalld --nofork --nopid");
      await host.must("timeout 30 sh -c 'until firewall-cmd -q --state; do sleep 0.2; done'");
      await host.must(
        'firewall-cmd --add-rich-rule=\'rule family="ipv4" protocol value="igmp" accept\'',
      );
    },
    reload: "firewall-cmd --reload",
    places: /firewalld zone public: /,
  },
];

for (const { name, programs, start, reload, places } of FIREWALLS) {
  Deno.test({
    name:
      `pacserve-ports open, close (${name}): packets pass while open, and close restores the rules`,
    ignore: !canTest("ip", "iptables", "nft", ...programs),
    fn: async (test) => {
      await using host = await GuardedHost.create();
      assertEquals(await host.reachable(), ALL);
      await start(host);
      await host.configure(RULES);
      const before = await host.rules();
      assertEquals(await host.reachable(), []);
      assertEquals((await host.ports("status")).status, 3);

      await test.step("open", async () => {
        const opened = await host.ports("open");
        assertEquals([opened.status, opened.errors], [0, ""]);
        assertMatch(opened.output, places);
        assertEquals(await host.reachable(), ALL);
        const status = await host.ports("status");
        assertEquals([status.status, status.errors], [0, ""]);
        for (const rule of [1, 2, 3]) {
          assertMatch(status.output, new RegExp(`^PACSERVE_RULE_${rule} .*: open$`, "m"));
        }
      });

      await test.step("opening a second time adds nothing", async () => {
        const once = await host.rules();
        assertEquals((await host.ports("start")).status, 0);
        assertEquals(await host.rules(), once);
      });

      await test.step("closing works after the configuration has changed", async () => {
        await host.configure('PACSERVE_FIREWALL="none"\nPACSERVE_RULE_1="tcp 99"\n');
        const closed = await host.ports("close");
        assertEquals([closed.status, closed.errors], [0, ""]);
        assertEquals(await host.rules(), before);
        assertEquals(await host.reachable(), []);
        assertStringIncludes((await host.ports("stop")).output, "nothing was open");
      });

      await test.step("a rule that was removed is closed by the next open", async () => {
        await host.configure(RULES);
        await host.ports("open");
        await host.configure(RULES.replace(/PACSERVE_RULE_1.*/, ""));
        assertEquals((await host.ports("open")).status, 0);
        assertEquals(await host.reachable(), ["udp4", "udp6"]);
      });

      await test.step("open and close work after the firewall was reloaded", async () => {
        await host.configure(RULES);
        await host.must(reload);
        assertEquals((await host.ports("open")).status, 0);
        assertEquals(await host.reachable(), ALL);
        await host.must(reload);
        const reloaded = await host.ports("close");
        assertEquals([reloaded.status, reloaded.errors], [0, ""]);
        assertEquals(await host.reachable(), []);
      });
    },
  });
}

Deno.test({
  name: "pacserve-ports open: when a rule is refused, the others are undone and the error names it",
  ignore: !canTest("ip", "nft"),
  fn: async () => {
    await using host = await GuardedHost.create();
    await host.must(
      "nft 'add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }'",
    );
    // Only the process that created this table may change it.
    const owner = host.spawn("exec nft -i");
    const writer = owner.stdin.getWriter();
    await writer.write(new TextEncoder().encode(
      "add table ip6 owned { flags owner; }\n" +
        "add chain ip6 owned in { type filter hook input priority 0; policy drop; }\n",
    ));
    await host.must(
      "timeout 10 sh -c 'until nft list chain ip6 owned in >/dev/null 2>&1; do sleep 0.1; done'",
    );
    await host.configure(
      'PACSERVE_RULE_1="tcp 15678 from 10.0.0.0/8"\nPACSERVE_RULE_2="tcp 15678 from fc00::/7"\n',
    );
    const before = await host.rules();
    const refused = await host.ports("open");
    assertEquals(refused.status, 1);
    assertMatch(refused.errors, /^pacserve-ports: PACSERVE_RULE_2 was refused by .*ip6 owned in: /);
    assertEquals(refused.errors.trim().split("\n").length, 1);
    assertEquals(await host.rules(), before);
    assertStringIncludes((await host.ports("close")).output, "nothing was open");
    await writer.close();
  },
});

Deno.test({
  name:
    "pacserve-ports open: parallel runs add nothing twice, and lost state is restored from comments",
  ignore: !canTest("ip", "iptables", "nft"),
  fn: async () => {
    await using host = await GuardedHost.create();
    await host.must("iptables-nft -P INPUT DROP && ip6tables-nft -P INPUT DROP");
    await host.configure(RULES);
    const before = await host.rules();
    const all = await Promise.all([host.ports("open"), host.ports("open"), host.ports("open")]);
    assertEquals(all.map(({ status }) => status), [0, 0, 0]);
    const once = await host.rules();
    assertEquals(once.match(/tcp dport 15678/g)?.length, 2);
    await host.must("rm /run/pacserve-ports/state");
    assertEquals((await host.ports("open")).status, 0);
    assertEquals(await host.rules(), once);
    assertEquals((await host.ports("close")).status, 0);
    assertEquals(await host.rules(), before);
  },
});

Deno.test({
  name: "pacserve-ports open: a malformed rule or name is an error before anything is opened",
  ignore: !canTest("ip", "nft"),
  fn: async () => {
    await using host = await GuardedHost.create();
    await host.must(NFT_RULES);
    const before = await host.rules();
    for (
      const [line, reason] of [
        ['PACSERVE_RULE_4="tcp http"', /PACSERVE_RULE_4: "http"/],
        ['PACSERVE_FIREWAL="none"', /PACSERVE_FIREWAL is unknown; /],
      ] as const
    ) {
      await host.configure(`${RULES}${line}\n`);
      const refused = await host.ports("open");
      assertEquals(refused.status, 1);
      assertMatch(refused.errors, reason);
      assertEquals(await host.rules(), before);
    }
  },
});

Deno.test({
  name: "pacserve-ports open: finds rules of legacy iptables when the kernel cannot load nftables",
  ignore: !canTest("ip", "nft", "iptables-nft", "iptables-legacy"),
  fn: async () => {
    await using host = await GuardedHost.create();
    await host.must("iptables-legacy -P INPUT DROP && ip6tables-legacy -P INPUT DROP");
    await host.must("ip6tables-legacy -A INPUT -p icmpv6 -j ACCEPT");
    const missing = "Could not fetch rule set generation id: Invalid argument";
    await host.spoil("iptables-nft", `iptables v1.8.9 (nf_tables): ${missing}`);
    await host.spoil("nft", "netlink: Error: cache initialization failed: Invalid argument");
    await host.configure(RULES);
    assertEquals(await host.reachable(), []);
    const opened = await host.ports("open");
    assertEquals([opened.status, opened.errors], [0, ""]);
    assertMatch(opened.output, /^opened in iptables-legacy, ip6tables-legacy: /);
    assertEquals(await host.reachable(), ALL);
    assertEquals((await host.ports("close")).status, 0);
  },
});

Deno.test({
  name: "pacserve-ports open: a firewall that cannot be queried is an error",
  ignore: !canTest("ip", "nft", "iptables-nft"),
  fn: async () => {
    for (const [program, named] of [["iptables-nft", "ip6?tables-nft"], ["nft", "nft"]] as const) {
      await using host = await GuardedHost.create();
      await host.spoil(program, "there is no memory left");
      await host.configure(RULES);
      const refused = await host.ports("open");
      assertEquals(refused.status, 1);
      assertMatch(
        refused.errors,
        new RegExp(`^pacserve-ports: ${named} cannot list the rules: there is no memory left\n$`),
      );
    }
  },
});

Deno.test({
  name: "pacserve-ports open: a chain that iptables cannot print is opened with nft",
  ignore: !canTest("ip", "nft", "iptables-nft"),
  fn: async () => {
    await using host = await GuardedHost.create();
    await host.must(`nft 'table ip filter {
      chain INPUT { type filter hook input priority 0; ct state new drop; }
    }'`);
    await host.configure(RULES);
    assertMatch((await host.ports("open")).output, /^opened in nftables chain ip filter INPUT: /);
    assertEquals((await host.ports("close")).status, 0);
  },
});

Deno.test({
  name: "PACSERVE_FIREWALL=none: open adds nothing, and status reports no port as open",
  ignore: !canTest("ip", "nft"),
  fn: async () => {
    await using host = await GuardedHost.create();
    await host.must(NFT_RULES);
    await host.configure(RULES.replace("auto", "none"));
    const before = await host.rules();
    const outcome = {
      status: 0,
      output: "PACSERVE_FIREWALL is none: nothing is opened\n",
      errors: "",
    };
    assertEquals(await host.ports("open"), outcome);
    assertEquals(await host.ports("status"), outcome);
    assertEquals(await host.rules(), before);
  },
});

Deno.test({
  name: "pacserve-ports open: when no chain drops or rejects packets, nothing is added",
  ignore: !canTest("ip", "nft", "iptables"),
  fn: async () => {
    await using host = await GuardedHost.create();
    await host.must("iptables-nft -A INPUT -i lo -j ACCEPT");
    await host.configure(RULES);
    const before = await host.rules();
    const opened = await host.ports("open");
    assertEquals(opened.status, 0);
    assertStringIncludes(opened.output, "nothing has to be opened");
    assertEquals((await host.ports("status")).status, 0);
    assertEquals(await host.rules(), before);
    // With a chosen firewall, the message is about that firewall only.
    await host.configure(RULES.replace("auto", "nftables"));
    assertMatch((await host.ports("open")).output, /^nftables does not block packets: /);
    // iptables, when chosen, gets rules even if it drops nothing.
    await host.configure(RULES.replace("auto", "iptables"));
    assertEquals((await host.ports("open")).status, 0);
    assertNotEquals(await host.rules(), before);
    assertEquals((await host.ports("close")).status, 0);
  },
});
