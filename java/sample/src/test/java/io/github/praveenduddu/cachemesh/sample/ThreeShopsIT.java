package io.github.praveenduddu.cachemesh.sample;

import java.nio.file.Path;

import io.github.praveenduddu.cachemesh.sample.drive.Database;
import io.github.praveenduddu.cachemesh.sample.drive.PostgresServer;
import io.github.praveenduddu.cachemesh.sample.drive.Scenes;
import io.github.praveenduddu.cachemesh.sample.drive.Shop;
import io.github.praveenduddu.cachemesh.sample.drive.Shops;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Three applications, each a JVM with its member, on one database: a server of PostgreSQL, if there is one, and always
 * in CI; with {@code -Dsample.database=h2} H2.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(180)
class ThreeShopsIT {

    private static final int BOOKS = 90;

    private static Shops shops;

    private static Scenes scenes;

    @BeforeAll
    static void open() {
        boolean postgres = !"h2".equals(System.getProperty("sample.database"))
                && (PostgresServer.installed() || System.getenv("CI") != null);
        shops = new Shops(Path.of(System.getProperty("sample.jar")), postgres ? Database.postgres() : Database.h2());
        scenes = new Scenes(shops);
        if (postgres) {
            assertThat(shops.get(0).output()).contains("profile is active: \"postgres\"", "org.postgresql.jdbc.PgConnection");
        }
    }

    @AfterAll
    static void close() {
        if (shops != null) {
            shops.close();
        }
    }

    private static void say(String what, Object figures) {
        System.out.println(what + ": " + figures);
    }

    @Test
    @Order(1)
    void ofAllRequestsOfAllInstancesOneLoads() {
        long loads = 0;
        for (int i = 0; i < 5; i++) {
            Scenes.Stampede stampede = scenes.stampede("stampede-" + i, 200);
            say("stampede", stampede);
            assertThat(stampede.requests()).isEqualTo(600);
            assertThat(stampede.wrong()).isZero();
            loads += stampede.loads();
        }
        assertThat(loads).isEqualTo(5);
    }

    @Test
    @Order(2)
    void whatIsEvictedInOneIsNewInAll() {
        Scenes.Changes changes = scenes.changes("changes", 1000);
        say("changes", changes);
        assertThat(changes.stale()).isZero();
        assertThat(changes.loads()).isEqualTo(1000);
    }

    @Test
    @Order(3)
    void aPutOfOneIsThereInAllWithoutALoad() {
        Shop shop = shops.get(1);
        shop.put("/books/put", "{\"title\":\"Put\",\"author\":\"One\",\"cents\":7}");
        long before = shops.reads();
        for (Shop other : shops.all()) {
            assertThat(other.get("/books/put")).isEqualTo("{\"isbn\":\"put\",\"title\":\"Put\",\"author\":\"One\",\"cents\":7}");
        }
        assertThat(shops.reads()).isEqualTo(before);
        String list = "[{\"isbn\":\"put\",\"title\":\"Put\",\"author\":\"One\",\"cents\":7}]";
        for (Shop other : shops.all()) {
            assertThat(other.get("/books?author=One")).isEqualTo(list);
        }
        assertThat(shops.reads()).isEqualTo(before + 1);
    }

    @Test
    @Order(4)
    void whenAMemberIsKilledRequestsGoOnAndItComesBack() {
        Scenes.Loss loss = scenes.killMember(shops.get(2));
        say("member killed", loss);
        assertThat(loss.failed()).isZero();
        assertThat(loss.requests()).isPositive();
        Scenes.Stampede after = scenes.stampede("after", 200);
        assertThat(after.loads()).isEqualTo(1);
        assertThat(scenes.changes("changes-after", 50).stale()).isZero();
    }

    @Test
    @Order(5)
    void whenAJvmIsKilledItsMemberIsGoneAndTheOthersLoseNothing() {
        for (int i = 0; i < BOOKS; i++) {
            shops.get(2).put("/books/kept-" + i, "{\"title\":\"Kept\",\"author\":\"C\",\"cents\":" + i + "}");
        }
        Scenes.Loss loss = scenes.killJvm(shops.get(2));
        say("JVM killed", loss);
        assertThat(loss.orphans()).isZero();
        assertThat(loss.backMillis()).isLessThan(2000);
        assertThat(loss.failed()).isZero();
        shops.awaitMembers(2);
        long before = shops.reads();
        for (Shop shop : shops.all()) {
            for (int i = 0; i < BOOKS; i++) {
                assertThat(shop.get("/books/kept-" + i)).endsWith("\"cents\":" + i + "}");
            }
        }
        long loads = shops.reads() - before;
        say("loads of " + BOOKS + " books after that, a third of which the member had", loads);
        assertThat(loads).isLessThan(BOOKS * 2 / 3);
    }
}
