/** The types of the sections of a man page. */

/** A section of a page. */
export interface Section {
  readonly title: string;
  readonly content: readonly SectionPart[];
}

/** A paragraph, literal text, or a list of terms. */
export type SectionPart =
  | string
  | { readonly literal: string }
  | { readonly terms: readonly Term[] };

/** A word and its meaning. */
export interface Term {
  readonly word: string;
  readonly meaning: string;
}
