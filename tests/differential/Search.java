// Search.java: one OpenSearch node in a folder: java -cp 'lib/*' Search.java FOLDER HTTP-PORT TRANSPORT-PORT
// Loopback only; ends when its standard input is closed.
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

public class Search {
    static class OneNode extends Node {
        OneNode(Environment environment, List<Class<? extends Plugin>> plugins) {
            super(environment, plugins, true);
        }
    }

    public static void main(String[] words) throws Exception {
        Path folder = Path.of(words[0]);
        Files.createDirectories(folder.resolve("config"));
        Settings settings = Settings.builder()
            .put("path.home", folder.toString())
            .put("cluster.name", "differential")
            .put("node.name", "one")
            .put("network.host", "127.0.0.1")
            .put("http.port", words[1])
            .put("transport.port", words[2])
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("discovery.type", "single-node")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("script.disable_max_compilations_rate", true)
            .build();
        Node node = new OneNode(new Environment(settings, folder.resolve("config")), List.of(
            org.opensearch.transport.Netty4Plugin.class,
            org.opensearch.analysis.common.CommonAnalysisPlugin.class,
            org.opensearch.painless.PainlessPlugin.class,
            org.opensearch.index.mapper.MapperExtrasPlugin.class));
        node.start();
        while (System.in.read() >= 0) {
            // the test holds the other end
        }
        node.close();
    }
}
