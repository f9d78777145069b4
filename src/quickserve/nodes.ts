/** The skeleton of the shared tree: the nodes that shares name, and the sources of each node. */

import type { Share } from "./configuration.ts";

/** A local path whose content a node shows. */
export interface Source {
  /** Absolute, without a slash at its end (the root directory is the empty string). */
  readonly path: string;
  /** The node that shows it. */
  readonly node: TreeNode;
  readonly packageCache: boolean;
}

/** A node of the tree: the path of a share, or a directory on the way to it. */
export class TreeNode {
  readonly children: Map<string, TreeNode> = new Map();
  readonly sources: Source[] = [];

  /** @param segments its path in the tree; empty for the root. */
  constructor(readonly segments: readonly string[]) {}

  /** Returns the child `name`; creates it if it does not exist. */
  child(name: string): TreeNode {
    return this.children.getOrInsertComputed(name, () => new TreeNode([...this.segments, name]));
  }
}

/** Builds the skeleton; returns the root and all sources in the order of the shares. */
export function buildNodes(shares: readonly Share[]): { root: TreeNode; sources: Source[] } {
  const root = new TreeNode([]);
  const sources: Source[] = [];
  for (const share of shares) {
    let node = root;
    for (const name of share.path.split("/")) {
      if (name !== "") node = node.child(name);
    }
    for (const path of share.sources) {
      const source = {
        path: path.replace(/\/+$/, ""),
        node,
        packageCache: share.packageCache,
      };
      node.sources.push(source);
      sources.push(source);
    }
  }
  return { root, sources };
}

/** Returns the nodes on the way to `segments`, from the root to the deepest one that exists. */
export function nodesOnTheWay(root: TreeNode, segments: readonly string[]): TreeNode[] {
  const nodes = [root];
  let node: TreeNode | undefined = root;
  for (const segment of segments) {
    node = node.children.get(segment);
    if (node === undefined) break;
    nodes.push(node);
  }
  return nodes;
}

/** Returns the local path in a source for `segments`, a path in the tree below the source's node. */
export function localPathIn(source: Source, segments: readonly string[]): string {
  let path = source.path;
  for (let depth = source.node.segments.length; depth < segments.length; depth++) {
    path += "/" + segments[depth];
  }
  return path === "" ? "/" : path;
}
