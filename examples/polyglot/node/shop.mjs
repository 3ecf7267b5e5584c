// A service in Node, with the member beside it at REDIS_URL. It does what lines on its
// input say, and answers each with a line: a value, or "(nil)", or an error.
import { createInterface } from "node:readline";
import Redis from "ioredis";

const cache = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: 2 });
cache.on("error", (err) => console.error("node:", err.message));

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...args] = JSON.parse(line);
  try {
    if (command === "count") { // as many single steps as the argument says
      await Promise.all(Array.from({ length: Number(args[1]) }, () => cache.incr(args[0])));
      console.log("done");
    } else {
      const answer = await cache.call(command, ...args);
      console.log(answer === null ? "(nil)" : String(answer));
    }
  } catch (err) {
    console.log("error: " + err.message);
  }
}
cache.disconnect();
