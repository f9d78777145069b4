/** The names under which other machines know this host. */

import { ownNames } from "../../http/admission.ts";

/** The host's names, with the domains that its resolver searches (resolv.conf(5)). */
export async function hostNames(): Promise<string[]> {
  return ownNames(Deno.hostname(), await searchDomains());
}

async function searchDomains(): Promise<string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile("/etc/resolv.conf");
  } catch {
    // A machine without a resolver has no domains.
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const [keyword, ...names] = line.trim().split(/\s+/);
    return keyword === "search" || keyword === "domain" ? names : [];
  });
}
