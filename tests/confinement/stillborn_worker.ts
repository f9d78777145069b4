/** A worker that cannot even be loaded. */

throw new Error("born dead");
