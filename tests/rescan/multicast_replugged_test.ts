import { Scene } from "../lan/scene.ts";

Deno.test("--multicast: an interface that is removed and comes back with its address is used again", async () => {
  await using scene = await Scene.create();
  const [alder, birch, cedar] = [
    await scene.machine("alder"),
    await scene.machine("birch"),
    await scene.machine("cedar"),
  ];
  const b = await scene.pacserve(birch);
  // After this, birch sends no more announcements.
  await (await scene.pacserve(cedar)).knows(scene.address(birch));
  // This is like a USB adapter that is unplugged and plugged in again: the kernel drops the memberships on it.
  await scene.lan.replug(birch.host);
  await scene.pacserve(alder, ["--multicast", "--multicast-interval", "2"]);
  await b.knows(scene.address(alder), 60_000);
});
