package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.util.concurrent.Executor;

import org.jspecify.annotations.Nullable;

/**
 * Runs tasks with the application's class loader. Threads of the common pool have the system's, by which methods behind
 * caches would not find what is in the jar of an application.
 */
final class ApplicationExecutor implements Executor {

    private final Executor threads;

    private final @Nullable ClassLoader loader;

    ApplicationExecutor(Executor threads, @Nullable ClassLoader loader) {
        this.threads = threads;
        this.loader = loader;
    }

    @Override
    public void execute(Runnable task) {
        this.threads.execute(() -> {
            Thread thread = Thread.currentThread();
            ClassLoader former = thread.getContextClassLoader();
            thread.setContextClassLoader(this.loader);
            try {
                task.run();
            }
            finally {
                thread.setContextClassLoader(former);
            }
        });
    }
}
