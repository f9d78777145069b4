/** The skeleton of the shared tree: the places that shares name, and what fills each of them. */

import type { Share } from "./configuration.ts";

/** One local path that fills a place. */
export interface Source {
  /** Absolute, without a slash at its end (the root directory is the empty string). */
  readonly path: string;
  /** The place that it fills. */
  readonly place: Place;
  readonly packageCache: boolean;
}

/** A place in the tree that a share names, or that leads to one. */
export class Place {
  readonly children: Map<string, Place> = new Map();
  readonly sources: Source[] = [];

  /** @param segments where it is; empty for the root. */
  constructor(readonly segments: readonly string[]) {}

  /** The place `name` in this one, made if it is not there. */
  child(name: string): Place {
    let child = this.children.get(name);
    if (child === undefined) {
      child = new Place([...this.segments, name]);
      this.children.set(name, child);
    }
    return child;
  }
}

/** Builds the skeleton; returns the root and all sources in the order of the shares. */
export function buildPlaces(shares: readonly Share[]): { root: Place; sources: Source[] } {
  const root = new Place([]);
  const sources: Source[] = [];
  for (const share of shares) {
    let place = root;
    for (const name of share.path.split("/")) {
      if (name !== "") place = place.child(name);
    }
    for (const path of share.sources) {
      const source = {
        path: path.replace(/\/+$/, ""),
        place,
        packageCache: share.packageCache,
      };
      place.sources.push(source);
      sources.push(source);
    }
  }
  return { root, sources };
}

/** The places on the way to `segments`, from the root to the deepest one that exists. */
export function placesOnTheWay(root: Place, segments: readonly string[]): Place[] {
  const places = [root];
  let place: Place | undefined = root;
  for (const segment of segments) {
    place = place.children.get(segment);
    if (place === undefined) break;
    places.push(place);
  }
  return places;
}

/** The local path of `segments` (a place in the tree, below that of the source) in a source. */
export function localPathIn(source: Source, segments: readonly string[]): string {
  let path = source.path;
  for (let depth = source.place.segments.length; depth < segments.length; depth++) {
    path += "/" + segments[depth];
  }
  return path === "" ? "/" : path;
}
