package lab;

import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Starts one Elasticsearch node from the jars on the class path: arguments are its home and key=value settings.
 *
 * <p>The server's own main class needs an agent jar that is not on Maven Central (entitlements), so this calls what
 * that class calls next. Reflection, because the compiler does not see the server's module exports.
 */
public final class Launcher {
    private static final String SETTINGS = "org.elasticsearch.common.settings.Settings";
    private static final String LOGGING = "org.elasticsearch.common.logging.LogConfigurator";
    private static final String LOADER = "org.elasticsearch.plugins.PluginsLoader";

    private Launcher() {}

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]).toAbsolutePath();
        Map<String, String> overrides = new HashMap<>();
        for (int index = 1; index < arguments.length; index++) {
            String[] pair = arguments[index].split("=", 2);
            overrides.put(pair[0], pair[1]);
        }
        method(LOGGING, "configureESLogging").invoke(null);
        Object environment = environment(home, overrides);
        method(LOGGING, "configure", environment.getClass(), boolean.class).invoke(null, environment, true);
        method("org.elasticsearch.bootstrap.BootstrapInfo", "init").invoke(null);
        Class<?> node = type("org.elasticsearch.node.Node");
        Object running = node.getConstructor(environment.getClass(), type(LOADER)).newInstance(environment, plugins(environment));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(running)));
        node.getMethod("start").invoke(running);
        Thread.currentThread().join();
    }

    private static Object environment(Path home, Map<String, String> overrides) throws Exception {
        Object builder = method(SETTINGS, "builder").invoke(null);
        builder.getClass().getMethod("put", String.class, String.class).invoke(builder, "path.home", home.toString());
        Object settings = builder.getClass().getMethod("build").invoke(builder);
        Supplier<String> nodeName = () -> "node-1";
        return method("org.elasticsearch.node.InternalSettingsPreparer", "prepareEnvironment", type(SETTINGS), Map.class, Path.class, Supplier.class)
            .invoke(null, settings, overrides, home.resolve("config"), nodeName);
    }

    private static Object plugins(Object environment) throws Exception {
        Object[] bundles = new Object[2];
        bundles[0] = bundles(environment, "modulesDir", "loadModulesBundles");
        bundles[1] = bundles(environment, "pluginsDir", "loadPluginsBundles");
        return method(LOADER, "createPluginsLoader", Set.class, Set.class, Map.class, boolean.class)
            .invoke(null, bundles[0], bundles[1], Map.of(), false);
    }

    private static Object bundles(Object environment, String folder, String loading) throws Exception {
        Path path = (Path) environment.getClass().getMethod(folder).invoke(environment);
        return method(LOADER, loading, Path.class, boolean.class).invoke(null, path, false);
    }

    private static void close(Object node) {
        try {
            node.getClass().getMethod("prepareForClose").invoke(node);
            node.getClass().getMethod("close").invoke(node);
        } catch (ReflectiveOperationException failure) {
            failure.printStackTrace();
        }
    }

    private static Class<?> type(String name) throws ClassNotFoundException {
        return Class.forName(name);
    }

    private static Method method(String owner, String name, Class<?>... parameters) throws ReflectiveOperationException {
        return type(owner).getMethod(name, parameters);
    }
}
