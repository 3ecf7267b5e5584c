package io.github.praveenduddu.cachemesh.bench;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;

import com.hazelcast.config.Config;
import com.hazelcast.config.InMemoryFormat;
import com.hazelcast.config.NearCacheConfig;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.spring.cache.HazelcastCacheManager;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.data.redis.cache.RedisCacheConfiguration;
import org.springframework.data.redis.cache.RedisCacheManager;
import org.springframework.data.redis.cache.RedisCacheWriter;
import org.springframework.data.redis.connection.RedisConnectionFactory;

/** A JVM with a cache, which does what it reads from standard input, a line each, and answers a line each. */
@SpringBootApplication
@EnableCaching
public class Instance {

    @Bean
    Service service(Environment environment) throws Exception {
        return new Service(new Origin(Path.of(environment.getRequiredProperty("bench.origin"))), 300);
    }

    @Bean
    @ConditionalOnProperty(name = "bench.cache", havingValue = "redis")
    CacheManager redis(RedisConnectionFactory connections) {
        return RedisCacheManager.builder(connections).build();
    }

    @Bean
    @ConditionalOnProperty(name = "bench.cache", havingValue = "redis-locking")
    CacheManager redisLocking(RedisConnectionFactory connections) {
        return RedisCacheManager.builder(RedisCacheWriter.lockingRedisCacheWriter(connections))
            .cacheDefaults(RedisCacheConfiguration.defaultCacheConfig().prefixCacheNameWith("locking:")).build();
    }

    @Bean
    @ConditionalOnProperty(name = "bench.cache", havingValue = "hazelcast")
    HazelcastInstance hazelcast() {
        Config config = new Config();
        config.setProperty("hazelcast.logging.type", "slf4j").setProperty("hazelcast.phone.home.enabled", "false");
        config.getNetworkConfig().setPort(15701).getJoin().getAutoDetectionConfig().setEnabled(false);
        config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface("127.0.0.1");
        config.getNetworkConfig().getJoin().getMulticastConfig().setEnabled(false);
        config.getNetworkConfig().getJoin().getTcpIpConfig().setEnabled(true).addMember("127.0.0.1:15701").addMember("127.0.0.1:15702")
            .addMember("127.0.0.1:15703");
        config.getMapConfig("default").setNearCacheConfig(new NearCacheConfig().setInvalidateOnChange(true).setCacheLocalEntries(true)
            .setInMemoryFormat(InMemoryFormat.OBJECT));
        return Hazelcast.newHazelcastInstance(config);
    }

    @Bean
    @ConditionalOnProperty(name = "bench.cache", havingValue = "hazelcast")
    CacheManager hazelcastCaches(HazelcastInstance hazelcast) {
        return new HazelcastCacheManager(hazelcast);
    }

    public static void main(String[] args) throws Exception {
        SpringApplication application = new SpringApplication(Instance.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        try (ConfigurableApplicationContext context = application.run(args)) {
            Service service = context.getBean(Service.class);
            Origin origin = new Origin(Path.of(context.getEnvironment().getRequiredProperty("bench.origin")));
            System.out.println("= ready");
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            for (String line = in.readLine(); line != null && !line.equals("end"); line = in.readLine()) {
                String[] words = line.split(" ");
                System.out.println("= " + switch (words[0]) {
                    case "stampede" -> stampede(service, words[1], Integer.parseInt(words[2]));
                    case "places" -> Places.measure(service, context.getBean(CacheMeshCacheManager.class), Integer.parseInt(words[1]));
                    default -> mixed(service, origin, Integer.parseInt(words[1]), Integer.parseInt(words[2]), Long.parseLong(words[3]));
                });
            }
        }
        System.exit(0);
    }

    /** Calls of the method while so many threads want a key at once, and how long that took. */
    private static String stampede(Service service, String key, int threads) throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(threads);
        AtomicLong wrong = new AtomicLong();
        long begin = System.nanoTime();
        run(threads, (i) -> {
            barrier.await();
            if (!service.slow(key).equals("value of " + key)) {
                wrong.incrementAndGet();
            }
        });
        return service.takeCalls() + " " + (System.nanoTime() - begin) / 1_000_000 + " " + wrong.get();
    }

    /** Reads and 1 % changes: how many answers were stale, how many calls, and the times of the reads that called nothing. */
    private static String mixed(Service service, Origin origin, int threads, int each, long seed) throws Exception {
        AtomicLong stale = new AtomicLong();
        AtomicLong failed = new AtomicLong();
        long[][] times = new long[threads][each];
        run(threads, (i) -> {
            SplittableRandom random = new SplittableRandom(seed * 1000 + i);
            for (int n = 0; n < each; n++) {
                int key = (int) (Origin.KEYS * Math.pow(random.nextDouble(), 3)); // some are much wanted
                try {
                    if (random.nextInt(100) == 0) {
                        origin.evicted(key, service.change(key));
                        continue;
                    }
                    long floor = origin.floor(key);
                    long begin = System.nanoTime();
                    Long version = service.version(key);
                    times[i][n] = System.nanoTime() - begin;
                    if (version < floor) {
                        stale.incrementAndGet();
                    }
                }
                catch (RuntimeException ex) {
                    failed.incrementAndGet();
                }
            }
        });
        long[] all = Arrays.stream(times).flatMapToLong(Arrays::stream).filter((t) -> t > 0).sorted().toArray();
        return all.length + " " + stale.get() + " " + failed.get() + " " + service.takeCalls() + " " + all[all.length / 2] + " " + all[(int) (all.length * 0.99)];
    }

    private interface Work {

        void run(int i) throws Exception;
    }

    private static void run(int threads, Work work) throws Exception {
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int number = i;
            Thread thread = new Thread(() -> {
                try {
                    work.run(number);
                }
                catch (Exception ex) {
                    ex.printStackTrace();
                }
            });
            thread.start();
            all.add(thread);
        }
        for (Thread thread : all) {
            thread.join();
        }
    }
}
