// Redis clients of Node against two members of a mesh: each connects to the first as it does to a Redis, sets,
// gets, gives keys a time, sends ten thousand commands at once, and keeps what it reads until it is told that
// somebody has written it at the other member.
//
//   node clients.mjs HOST:PORT HOST:PORT
import { ClientSideCache, Batch, GlideClient, ProtocolVersion } from "@valkey/valkey-glide";
import Redis from "ioredis";
import { BasicClientSideCache, createClient } from "redis";

const [first, second] = process.argv.slice(2).map((at) => {
  const [, host, port] = at.match(/^(.*):(\d+)$/);
  return { host, port: Number(port) };
});
const many = 10000;

let passed = 0;
let failed = 0;
function same(what, got, want) {
  if (JSON.stringify(got) === JSON.stringify(want)) passed++;
  else { failed++; console.log(`FAILED: ${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`); }
}

const other = new Redis(second); // who writes at the other member

/** What node-redis, ioredis and valkey-glide call the same things. */
async function nodeRedis() {
  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: "LRU" });
  const c = await createClient({ socket: first, RESP: 3, clientSideCache: cache }).connect();
  const plain = await createClient({ socket: first, RESP: 2 }).connect(); // RESP2, and no cache between
  return {
    set: (k, v) => c.set(k, v), get: (k) => c.get(k), mget: (k) => c.mGet(k), expire: (k, s) => c.expire(k, s), ttl: (k) => c.ttl(k), del: (k) => c.del(k),
    async pipeline(keys) {
      await Promise.all(keys.map((k) => plain.set(k, k)));
      return Promise.all(keys.map((k) => plain.get(k)));
    },
    hits: () => cache.stats().hitCount,
    close: () => { c.destroy(); plain.destroy(); },
  };
}

async function ioredis() {
  const c = new Redis({ ...first, protocol: 3 });
  await c.call("CLIENT", "TRACKING", "ON"); // it drops what it is told, and must not be confused by it
  return {
    set: (k, v) => c.set(k, v), get: (k) => c.get(k), mget: (k) => c.mget(k), expire: (k, s) => c.expire(k, s), ttl: (k) => c.ttl(k), del: (k) => c.del(k),
    async pipeline(keys) {
      const all = c.pipeline();
      for (const k of keys) all.set(k, k).get(k);
      return (await all.exec()).filter((_, i) => i % 2).map(([, v]) => v);
    },
    hits: null,
    close: () => c.disconnect(),
  };
}

async function glide() {
  const cache = ClientSideCache.create(1024, 0, { enableMetrics: true, serverAssisted: true });
  const c = await GlideClient.createClient({ addresses: [first], protocol: ProtocolVersion.RESP3, clientSideCache: cache, requestTimeout: 10000 });
  return {
    set: (k, v) => c.set(k, v), get: (k) => c.get(k), mget: (k) => c.mget(k), expire: async (k, s) => Number(await c.expire(k, s)), ttl: (k) => c.ttl(k), del: (k) => c.del([k]),
    async pipeline(keys) {
      const all = new Batch(false);
      for (const k of keys) all.set(k, k).get(k);
      return (await c.exec(all, true, { timeout: 30000 })).filter((_, i) => i % 2);
    },
    hits: async () => Number(await c.getCacheHitRate()) > 0,
    close: () => c.close(),
  };
}

async function until(what, want, ask) {
  for (const end = Date.now() + 5000; ; await new Promise((f) => setTimeout(f, 2))) {
    const got = await ask();
    if (got === want || Date.now() > end) return same(what, got, want);
  }
}

async function play(name, open) {
  const c = await open();
  same(`${name}: SET`, await c.set("a", "1"), "OK");
  same(`${name}: GET`, await c.get("a"), "1");
  same(`${name}: GET of nothing`, await c.get("none"), null);
  await c.set("b", "2");
  same(`${name}: MGET`, await c.mget(["a", "none", "b"]), ["1", null, "2"]);
  same(`${name}: EXPIRE`, Number(await c.expire("a", 100)), 1);
  same(`${name}: TTL`, (await c.ttl("a")) > 90, true);
  same(`${name}: DEL`, await c.del("a"), 1);
  const keys = Array.from({ length: many }, (_, i) => `${name}:${i}`);
  same(`${name}: ${many} commands at once`, await c.pipeline(keys), keys);
  for (let i = 0; i < 20; i++) {
    const key = `${name}:kept:${i}`;
    await other.set(key, "old");
    same(`${name}: read`, await c.get(key), "old");
    await c.get(key);
    await other.set(key, "new");
    await until(`${name}: what another member's client wrote`, "new", () => c.get(key));
  }
  same(`${name}: keeps what it reads`, c.hits === null || Boolean(await c.hits()), true);
  await c.close();
  console.log(`${name}: done`);
}

await play("node-redis", nodeRedis);
await play("ioredis", ioredis);
await play("valkey-glide", glide);
other.disconnect();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
