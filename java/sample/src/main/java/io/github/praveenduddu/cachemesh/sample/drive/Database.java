package io.github.praveenduddu.cachemesh.sample.drive;

import java.sql.SQLException;
import java.util.List;

import org.h2.tools.Server;

/**
 * A database for the shops alone, gone when it is closed.
 *
 * @param name what it is
 * @param arguments what a shop is told to use it
 * @param end what closes it
 */
public record Database(String name, List<String> arguments, Runnable end) implements AutoCloseable {

    /** Starts H2 in this JVM. */
    public static Database h2() {
        try {
            Server server = Server.createTcpServer("-tcpPort", "0", "-ifNotExists").start();
            return new Database("H2", List.of("--spring.datasource.url=jdbc:h2:tcp://localhost:" + server.getPort()
                    + "/mem:shop;DB_CLOSE_DELAY=-1;MODE=PostgreSQL"), server::stop);
        }
        catch (SQLException ex) {
            throw new IllegalStateException(ex);
        }
    }

    /** Starts a server of PostgreSQL, of the packages that are installed; see {@link PostgresServer}. */
    public static Database postgres() {
        PostgresServer server = PostgresServer.start();
        return new Database(server.version(), List.of("--spring.profiles.active=postgres", "--PGHOST=127.0.0.1", "--PGPORT=" + server.port(),
                "--PGDATABASE=postgres", "--PGUSER=" + PostgresServer.USER), server::close);
    }

    @Override
    public void close() {
        this.end.run();
    }
}
