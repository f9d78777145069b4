/** Names of files that are difficult for clients and for readers of archives. */

/** Names that need care in HTML, URLs, shells and archives. None is hidden or contains a slash. */
export const ODD_NAMES: readonly string[] = [
  "gtk-1:2.0+r1~b-1-x86_64.pkg.tar.zst",
  "it's.txt",
  "a 'b' \"c\".txt",
  "back\\slash",
  "per%cent",
  "per%20cent",
  "per%2fcent",
  "?query#fragment",
  "a&amp;b",
  "a;b=c,d$e!f*g(h)[i]{j}|k<l>m^n`o",
  "@at ~tilde+plus",
  "-dash",
  "javascript:alert(1)",
  "http:evil",
  " space at both ends ",
  "..two dots".slice(2) + "..",
  "naïve 日本語 😀",
  "e\u0301 and \u00e9",
  "ß İ ı",
  "x".repeat(255),
  "日".repeat(85),
];

/** Returns `number` names: the unusual ones, and names that begin with one of them. */
export function manyOddNames(number: number): string[] {
  const names = new Set(ODD_NAMES);
  for (let round = 1; names.size < number; round++) {
    for (const name of ODD_NAMES) {
      if (names.size < number) names.add(`${[...name].slice(0, 40).join("")}${round}`);
    }
  }
  return [...names];
}
