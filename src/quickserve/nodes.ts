/** The skeleton of the shared tree: the nodes that shares name, and what fills each of them. */

import type { Share } from "./configuration.ts";

/** One local path that fills a node. */
export interface Source {
  /** Absolute, without a slash at its end (the root directory is the empty string). */
  readonly path: string;
  /** The node that it fills. */
  readonly node: TreeNode;
  readonly packageCache: boolean;
}

/** A node of the tree that a share names, or that leads to one. */
export class TreeNode {
  readonly children: Map<string, TreeNode> = new Map();
  readonly sources: Source[] = [];

  /** @param segments its path in the tree; empty for the root. */
  constructor(readonly segments: readonly string[]) {}

  /** The node `name` in this one, made if it is not there. */
  child(name: string): TreeNode {
    let child = this.children.get(name);
    if (child === undefined) {
      child = new TreeNode([...this.segments, name]);
      this.children.set(name, child);
    }
    return child;
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

/** The nodes on the way to `segments`, from the root to the deepest one that exists. */
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

/** The local path of `segments` (a path in the tree, below the source's node) in a source. */
export function localPathIn(source: Source, segments: readonly string[]): string {
  let path = source.path;
  for (let depth = source.node.segments.length; depth < segments.length; depth++) {
    path += "/" + segments[depth];
  }
  return path === "" ? "/" : path;
}
